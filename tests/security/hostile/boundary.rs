//! What crosses a component's boundary: imports of every kind, exports that are missing, wrong or of another version.

use libtest_mimic::Trial;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::expect::{Case, Expect, good_and};

const WIT: &str = include_str!("../../../wit/v0.1/strategy.wit");

/// Every interface of WASI 0.2 and what else hosts offer to components.
const INTERFACES: [&str; 41] = [
    "wasi:cli/environment@0.2.8",
    "wasi:cli/exit@0.2.8",
    "wasi:cli/run@0.2.8",
    "wasi:cli/stdin@0.2.8",
    "wasi:cli/stdout@0.2.8",
    "wasi:cli/stderr@0.2.8",
    "wasi:cli/terminal-input@0.2.8",
    "wasi:cli/terminal-output@0.2.8",
    "wasi:cli/terminal-stdin@0.2.8",
    "wasi:cli/terminal-stdout@0.2.8",
    "wasi:cli/terminal-stderr@0.2.8",
    "wasi:clocks/monotonic-clock@0.2.8",
    "wasi:clocks/wall-clock@0.2.8",
    "wasi:clocks/timezone@0.2.8",
    "wasi:filesystem/types@0.2.8",
    "wasi:filesystem/preopens@0.2.8",
    "wasi:http/types@0.2.8",
    "wasi:http/outgoing-handler@0.2.8",
    "wasi:http/incoming-handler@0.2.8",
    "wasi:io/error@0.2.8",
    "wasi:io/poll@0.2.8",
    "wasi:io/streams@0.2.8",
    "wasi:random/random@0.2.8",
    "wasi:random/insecure@0.2.8",
    "wasi:random/insecure-seed@0.2.8",
    "wasi:sockets/network@0.2.8",
    "wasi:sockets/instance-network@0.2.8",
    "wasi:sockets/ip-name-lookup@0.2.8",
    "wasi:sockets/tcp@0.2.8",
    "wasi:sockets/tcp-create-socket@0.2.8",
    "wasi:sockets/udp@0.2.8",
    "wasi:sockets/udp-create-socket@0.2.8",
    "wasi:clocks/monotonic-clock@0.3.0",
    "wasi:config/store@0.2.0-rc.1",
    "wasi:keyvalue/store@0.2.0-draft",
    "wasi:logging/logging",
    "wasi:messaging/producer@0.2.0-draft",
    "wasi:nn/inference@0.2.0-rc-2024-10-28",
    "wasi:tls/client@0.2.0-draft",
    "portcullis:strategy/host@0.1.0",
    "somebody:else/entirely@1.2.3",
];

/// What the contract says, and what is said instead.
const WRONG_TYPES: [(&str, &str, &str); 17] = [
    ("describe: func() -> description;", "describe: func() -> string;", "result"),
    ("describe: func() -> description;", "describe: func(again: bool) -> description;", "parameters"),
    ("on-frame: func(frame: list<u8>) -> outcome;", "on-frame: func(frame: string) -> outcome;", "frame"),
    ("on-frame: func(frame: list<u8>) -> outcome;", "on-frame: func(frame: list<u16>) -> outcome;", "frame"),
    (
        "on-frame: func(frame: list<u8>) -> outcome;",
        "on-frame: func(frame: list<u8>) -> list<outcome>;",
        "result",
    ),
    ("on-frame: func(frame: list<u8>) -> outcome;", "on-frame: func(bytes: list<u8>) -> outcome;", "bytes"),
    ("snapshot: func() -> list<u8>;", "snapshot: func() -> option<list<u8>>;", "result"),
    (
        "restore: func(version: u32, bytes: list<u8>)",
        "restore: func(version: u64, bytes: list<u8>)",
        "version",
    ),
    ("restore: func(version: u32, bytes: list<u8>)", "restore: func(bytes: list<u8>, version: u32)", "bytes"),
    ("consumed: u32,", "consumed: u64,", ""),
    ("cause: u32,", "cause: s32,", ""),
    ("type price = s64;", "type price = f64;", ""),
    ("tag: u64,", "tag: u64, fee: u64,", ""),
    ("post-only,", "post-only, whatever,", ""),
    ("set-timer(timer),", "set-alarm(timer),", ""),
    ("value: f64,", "value: f32,", ""),
    ("reduce-only: bool,", "reduce-only: u8,", ""),
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut cases = imports();
    cases.extend(exports());
    cases.into_iter().map(Case::trial).collect()
}

fn imports() -> Vec<Case> {
    let refused = |name: &str, field: &str, words| {
        let field = field.to_owned();
        Case::lazy(
            format!("boundary::imports::{name}"),
            move || good_and(&field),
            Expect::Refused("IMPORT_FORBIDDEN", words),
        )
    };
    let mut cases: Vec<Case> = INTERFACES
        .iter()
        .map(|name| refused(name, &format!(r#"(import "{name}" (instance))"#), name))
        .collect();
    let many: String = (0..500).map(|n| format!(r#"(import "i{n}" (func))"#)).collect();
    let all: String = INTERFACES.iter().map(|name| format!(r#"(import "{name}" (instance))"#)).collect();
    cases.extend([
        refused("every_interface_at_once", &all, "(41 in all)"),
        refused("five_hundred", &many, "and 436 more (500 in all)"),
        refused("a_function", r#"(import "host-log" (func (param "x" string)))"#, "host-log"),
        refused("a_resource", r#"(import "handle" (type (sub resource)))"#, "handle"),
        refused("a_core_module", r#"(import "a-module" (core module))"#, "a-module"),
        refused("a_component", r#"(import "a-component" (component))"#, "a-component"),
        refused("a_locked_dependency", r#"(import "locked-dep=<a:b@1.0.0>" (component))"#, "locked-dep"),
        refused("a_url", r#"(import "url=<https://example.org/x.wasm>" (component))"#, "url"),
        refused("its_own_contract", r#"(import "portcullis:strategy/guest@0.1.0" (instance))"#, "portcullis"),
    ]);
    cases
}

fn exports() -> Vec<Case> {
    let mut cases = Vec::new();
    for function in ["describe", "init", "on-frame", "snapshot", "restore"] {
        let wit = WIT.replace(&format!("  {function}: func("), &format!("  not-{function}: func("));
        assert_ne!(wit, WIT);
        cases.push(Case::lazy(
            format!("boundary::exports::without::{function}"),
            move || from_wit(&wit),
            Expect::Refused("EXPORT_INCOMPLETE", function),
        ));
    }
    for (index, (right, wrong, words)) in WRONG_TYPES.into_iter().enumerate() {
        let wit = WIT.replace(right, wrong);
        assert_ne!(wit, WIT, "{right}");
        cases.push(Case::lazy(
            format!("boundary::exports::wrong_type::{index:02}"),
            move || from_wit(&wit),
            Expect::Refused("EXPORT_TYPE", words),
        ));
    }
    for (version, words) in [
        ("0.0.1", "rebuild it with a newer SDK"),
        ("0.1.1", "upgrade the host"),
        ("0.2.0", "upgrade the host"),
        ("1.0.0", "upgrade the host"),
        ("18446744073709551615.0.0", "upgrade the host"),
    ] {
        let wit = WIT
            .replace("portcullis:strategy@0.1.0", &format!("portcullis:strategy@{version}"))
            .replace("@since(version = 0.1.0)", "");
        cases.push(Case::lazy(
            format!("boundary::exports::version::{version}"),
            move || from_wit(&wit),
            Expect::Refused("WORLD_VERSION", words),
        ));
    }
    let other = WIT.replace("package portcullis:strategy@0.1.0", "package someone:strategy@0.1.0");
    cases.extend([
        Case::lazy(
            "boundary::exports::anothers_package",
            move || from_wit(&other),
            Expect::Refused("EXPORT_MISSING", ""),
        ),
        Case::lazy(
            "boundary::exports::nothing",
            || wat::parse_str("(component)").unwrap(),
            Expect::Refused("EXPORT_MISSING", "portcullis:strategy/guest@0.1.0"),
        ),
        Case::lazy(
            "boundary::exports::an_empty_instance",
            || {
                wat::parse_str(
                    r#"(component (instance $i) (export "portcullis:strategy/guest@0.1.0" (instance $i)))"#,
                )
                .unwrap()
            },
            Expect::Refused("EXPORT_INCOMPLETE", "describe"),
        ),
        Case::lazy(
            "boundary::exports::the_contract_twice",
            || {
                // No text format takes a second export of the same name either.
                let mut component =
                    good_and(r#"(instance $i) (export "portcullis:strategy/guest@0.1.9" (instance $i))"#);
                let at = component.windows(5).position(|bytes| bytes == b"0.1.9").unwrap();
                component[at + 4] = b'0';
                component
            },
            Expect::Refused("COMPONENT_INVALID", ""),
        ),
        Case::lazy(
            "boundary::exports::something_else_beside_it",
            || good_and(r#"(instance $i) (export "wasi:cli/run@0.2.8" (instance $i))"#),
            Expect::Harmless(crate::expect::anything),
        ),
    ]);
    cases
}

/// A component for this WIT, whose functions trap. Their core types do not matter: nothing of it gets to a compiler.
fn from_wit(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("strategy.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("strategy")).unwrap();
    let mut module = wit_component::dummy_module(&resolve, world, wit_parser::ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}
