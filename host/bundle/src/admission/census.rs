//! One walk over a component's sections, which counts what is in it and stops at the first figure that is too high.

use std::collections::BTreeMap;

use wasmparser::{
    ComponentAlias, ComponentAliasSectionReader, ComponentExternalKind, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, FunctionBody, FunctionSectionReader, Instance, InstanceSectionReader,
    MemorySectionReader, Parser, Payload, TableSectionReader, TypeSectionReader,
};

use super::features::invalid;
use super::{Inadmissible, StaticLimit};
use crate::Tier;
use crate::untrusted_text::shown;

const PAGE_BYTES: u64 = 1 << 16;

/// Names kept for messages and for the contract check; a strategy has no import and one export, and whoever asks for all of
/// WASI names less than this many interfaces.
const NAMES_MAX: usize = 64;

/// What a component holds.
#[derive(Debug)]
pub(super) struct Census {
    tier: Tier,
    totals: BTreeMap<StaticLimit, u64>,
    /// The core modules of the outermost component, in the order of their definition.
    modules: Vec<Module>,
    /// What the outermost component imports.
    pub(super) imports: Names,
    /// Those of them that are no instances of an interface: functions, types, modules.
    pub(super) bare_imports: Names,
    /// What the outermost component exports.
    pub(super) exports: Names,
}

impl Census {
    /// Counts, and refuses what is beyond the limits of `tier`.
    pub(super) fn take(component: &[u8], tier: Tier) -> Result<Self, Inadmissible> {
        let mut census = Self {
            tier,
            totals: BTreeMap::new(),
            modules: Vec::new(),
            imports: Names::default(),
            bare_imports: Names::default(),
            exports: Names::default(),
        };
        let mut inside = Vec::new();
        for payload in Parser::new(0).parse_all(component) {
            census.visit(payload.map_err(invalid)?, &mut inside)?;
        }
        Ok(census)
    }

    /// The figure that `limit` bounds, over the whole component.
    pub(super) fn total(&self, limit: StaticLimit) -> u64 {
        self.totals.get(&limit).copied().unwrap_or(0)
    }

    fn visit(&mut self, payload: Payload<'_>, inside: &mut Vec<Inside>) -> Result<(), Inadmissible> {
        let outermost = inside.len() == 1;
        match payload {
            Payload::Version { encoding, .. } => self.enter(encoding, inside)?,
            Payload::End(_) => {
                if let Some(Inside::Module { module, .. }) = inside.pop() {
                    self.modules.push(module);
                }
            }

            Payload::ComponentImportSection(section) => {
                self.add(StaticLimit::ComponentItems, section.count())?;
                for import in section.into_iter().take_while(|_| outermost) {
                    let import = import.map_err(invalid)?;
                    self.imports.add(import.name.name);
                    if !matches!(import.ty, ComponentTypeRef::Instance(_)) {
                        self.bare_imports.add(import.name.name);
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                self.add(StaticLimit::ComponentItems, section.count())?;
                for export in section.into_iter().take_while(|_| outermost) {
                    self.exports.add(export.map_err(invalid)?.name.name);
                }
            }
            Payload::InstanceSection(section) => self.visit_instances(section, outermost)?,
            Payload::ComponentInstanceSection(section) => {
                self.add(StaticLimit::Instances, section.count())?
            }
            Payload::CoreTypeSection(section) => self.add(StaticLimit::ComponentItems, section.count())?,
            Payload::ComponentTypeSection(section) => {
                self.add(StaticLimit::ComponentItems, section.count())?
            }
            Payload::ComponentAliasSection(section) => self.visit_aliases(section)?,
            Payload::ComponentCanonicalSection(section) => {
                self.add(StaticLimit::ComponentItems, section.count())?
            }

            Payload::TypeSection(section) => self.visit_types(section, inside)?,
            Payload::ImportSection(section) => self.add(StaticLimit::CoreImports, section.count())?,
            Payload::FunctionSection(section) => self.visit_functions(section, inside)?,
            Payload::TableSection(section) => self.visit_tables(section, inside)?,
            Payload::MemorySection(section) => self.visit_memories(section, inside)?,
            Payload::GlobalSection(section) => self.add(StaticLimit::Globals, section.count())?,
            Payload::ExportSection(section) => self.add(StaticLimit::CoreExports, section.count())?,
            Payload::ElementSection(section) => self.add(StaticLimit::ElementSegments, section.count())?,
            Payload::DataSection(section) => self.add(StaticLimit::DataSegments, section.count())?,
            Payload::CodeSectionEntry(body) => self.visit_body(&body)?,

            // Headers that announce what is counted above, and sections without a figure; the validator judges them.
            Payload::ModuleSection { .. }
            | Payload::ComponentSection { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::DataCountSection { .. }
            | Payload::StartSection { .. }
            | Payload::ComponentStartSection { .. }
            | Payload::TagSection(_)
            | Payload::CustomSection(_) => {}

            Payload::UnknownSection { id, range, .. } => return Err(unknown_section(id, range.start)),
            // A kind of section that a later parser knows and this list does not has no limit, so it does not pass.
            _ => return Err(unknown_section(0, 0)),
        }
        Ok(())
    }

    fn enter(&mut self, encoding: Encoding, inside: &mut Vec<Inside>) -> Result<(), Inadmissible> {
        match encoding {
            Encoding::Component => {
                // The outermost one is not nested.
                self.add(StaticLimit::Components, u32::from(!inside.is_empty()))?;
                inside.push(Inside::Component);
            }
            Encoding::Module => {
                if inside.len() > 1 {
                    return Err(Inadmissible::NestedCoreModule);
                }
                self.add(StaticLimit::Modules, 1_u32)?;
                inside.push(Inside::Module { params: Vec::new(), module: Module::default() });
            }
        }
        Ok(())
    }

    /// A module that is instantiated again takes its memories and tables again.
    fn visit_instances(
        &mut self,
        section: InstanceSectionReader<'_>,
        outermost: bool,
    ) -> Result<(), Inadmissible> {
        self.add(StaticLimit::Instances, section.count())?;
        for instance in section {
            let Instance::Instantiate { module_index, .. } = instance.map_err(invalid)? else { continue };
            if !outermost {
                return Err(Inadmissible::NestedCoreModule);
            }
            // An index out of range counts nothing here and fails validation.
            let Some(module) = self.modules.get_mut(module_index as usize) else { continue };
            if std::mem::replace(&mut module.instantiated, true) {
                for (limit, figure) in module.figures.clone() {
                    self.add(limit, figure)?;
                }
            }
        }
        Ok(())
    }

    /// A core module under a second name could be instantiated past the count above, so there is none.
    fn visit_aliases(&mut self, section: ComponentAliasSectionReader<'_>) -> Result<(), Inadmissible> {
        self.add(StaticLimit::ComponentItems, section.count())?;
        for alias in section {
            let is_module = match alias.map_err(invalid)? {
                ComponentAlias::InstanceExport { kind, .. } => kind == ComponentExternalKind::Module,
                ComponentAlias::Outer { kind, .. } => kind == ComponentOuterAliasKind::CoreModule,
                ComponentAlias::CoreInstanceExport { .. } => false,
            };
            if is_module {
                return Err(Inadmissible::NestedCoreModule);
            }
        }
        Ok(())
    }

    fn visit_types(
        &mut self,
        section: TypeSectionReader<'_>,
        inside: &mut [Inside],
    ) -> Result<(), Inadmissible> {
        self.add(StaticLimit::FunctionTypes, section.count())?;
        for function in section.into_iter_err_on_gc_types() {
            let function = function.map_err(invalid)?;
            let params = function.params().len() as u64;
            self.at_most(StaticLimit::FunctionParams, params)?;
            self.at_most(StaticLimit::FunctionResults, function.results().len() as u64)?;
            if let Some(Inside::Module { params: known, .. }) = inside.last_mut() {
                known.push(params);
            }
        }
        Ok(())
    }

    fn visit_functions(
        &mut self,
        section: FunctionSectionReader<'_>,
        inside: &[Inside],
    ) -> Result<(), Inadmissible> {
        self.add(StaticLimit::Functions, section.count())?;
        for type_index in section {
            let type_index = type_index.map_err(invalid)? as usize;
            // An index out of range counts nothing here and fails validation.
            if let Some(Inside::Module { params, .. }) = inside.last() {
                self.add(StaticLimit::TotalParams, params.get(type_index).copied().unwrap_or(0))?;
            }
        }
        Ok(())
    }

    fn visit_tables(
        &mut self,
        section: TableSectionReader<'_>,
        inside: &mut [Inside],
    ) -> Result<(), Inadmissible> {
        self.hold(StaticLimit::Tables, section.count(), inside)?;
        for table in section {
            self.hold(StaticLimit::TableElements, table.map_err(invalid)?.ty.initial, inside)?;
        }
        Ok(())
    }

    fn visit_memories(
        &mut self,
        section: MemorySectionReader<'_>,
        inside: &mut [Inside],
    ) -> Result<(), Inadmissible> {
        self.hold(StaticLimit::Memories, section.count(), inside)?;
        for memory in section {
            let pages = memory.map_err(invalid)?.initial;
            self.hold(StaticLimit::InitialMemory, pages.saturating_mul(PAGE_BYTES), inside)?;
        }
        Ok(())
    }

    /// Adds a figure of which every instance of the module has its own.
    fn hold(
        &mut self,
        limit: StaticLimit,
        more: impl Into<u64>,
        inside: &mut [Inside],
    ) -> Result<(), Inadmissible> {
        let more = more.into();
        if let Some(Inside::Module { module, .. }) = inside.last_mut() {
            let figure = module.figures.entry(limit).or_insert(0);
            *figure = figure.saturating_add(more);
        }
        self.add(limit, more)
    }

    fn visit_body(&mut self, body: &FunctionBody<'_>) -> Result<(), Inadmissible> {
        self.at_most(StaticLimit::FunctionBytes, body.as_bytes().len() as u64)?;
        let mut locals = 0_u64;
        for group in body.get_locals_reader().map_err(invalid)? {
            let (count, _) = group.map_err(invalid)?;
            locals = locals.saturating_add(u64::from(count));
        }
        self.at_most(StaticLimit::FunctionLocals, locals)?;
        self.add(StaticLimit::TotalLocals, locals)
    }

    fn add(&mut self, limit: StaticLimit, more: impl Into<u64>) -> Result<(), Inadmissible> {
        let total = self.totals.entry(limit).or_insert(0);
        *total = total.saturating_add(more.into());
        limit.check(self.tier, *total)
    }

    fn at_most(&self, limit: StaticLimit, actual: u64) -> Result<(), Inadmissible> {
        limit.check(self.tier, actual)
    }
}

fn unknown_section(id: u8, offset: usize) -> Inadmissible {
    Inadmissible::Invalid { offset: offset as u64, detail: format!("unknown section {id}") }
}

/// What the walk is inside of.
enum Inside {
    Component,
    Module {
        /// Parameters of each of the module's function types.
        params: Vec<u64>,
        module: Module,
    },
}

/// A core module of the outermost component.
#[derive(Debug, Default)]
struct Module {
    /// What each of its instances has for itself: memories and tables.
    figures: BTreeMap<StaticLimit, u64>,
    instantiated: bool,
}

/// The first 64 of the names at a component's boundary, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Names {
    kept: Vec<String>,
    total: usize,
}

impl Names {
    fn add(&mut self, name: &str) {
        self.total = self.total.saturating_add(1);
        if self.kept.len() < NAMES_MAX {
            self.kept.push(name.to_owned());
        }
    }

    /// How many there are.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// Whether all of them were kept.
    pub(super) fn is_complete(&self) -> bool {
        self.total == self.kept.len()
    }

    /// Those of the kept ones for which `allowed` is false.
    pub(super) fn without(&self, allowed: impl Fn(&str) -> bool) -> Self {
        let kept: Vec<String> = self.kept.iter().filter(|name| !allowed(name)).cloned().collect();
        Self { total: kept.len(), kept }
    }

    /// The refusal that names them one by one.
    pub(super) fn forbidden(&self) -> Inadmissible {
        Inadmissible::Import { names: self.listed(), count: self.total }
    }

    /// The kept ones.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().map(String::as_str)
    }

    fn listed(&self) -> String {
        let listed = self.names().map(shown).collect::<Vec<_>>().join(", ");
        match self.total.saturating_sub(self.kept.len()) {
            0 => listed,
            more => format!("{listed} and {more} more"),
        }
    }
}
