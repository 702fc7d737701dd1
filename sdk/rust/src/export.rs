//! The macro that turns a strategy into a component.

/// Exports a [`Strategy`](crate::Strategy) as the component's one strategy.
///
/// Write it once, at the root of a `cdylib` crate. It expands to nothing but for wasm32, so the same crate tests natively:
///
/// ```toml
/// [lib]
/// crate-type = ["cdylib", "rlib"]
/// ```
#[macro_export]
macro_rules! export {
    ($strategy:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            ::std::thread_local! {
                static SLOT: $crate::guest::Slot<$strategy> = const { $crate::guest::Slot::empty() };
            }

            struct Component;

            impl $crate::guest::Guest for Component {
                fn describe() -> $crate::guest::Description {
                    $crate::guest::describe::<$strategy>()
                }

                fn init(
                    setup: $crate::guest::WitSetup,
                ) -> ::std::result::Result<(), $crate::guest::InitError> {
                    SLOT.with(|slot| slot.init(setup))
                }

                fn on_frame(frame: ::std::vec::Vec<u8>) -> $crate::guest::Outcome {
                    SLOT.with(|slot| slot.on_frame(&frame))
                }

                fn snapshot() -> ::std::vec::Vec<u8> {
                    SLOT.with(|slot| slot.snapshot())
                }

                fn restore(
                    version: u32,
                    bytes: ::std::vec::Vec<u8>,
                ) -> ::std::result::Result<(), $crate::guest::RestoreError> {
                    SLOT.with(|slot| slot.restore(version, &bytes))
                }
            }

    $crate::guest::bindings::export_guest!(Component with_types_in $crate::guest::bindings);
        };
    };
}
