//! The roles' profiles: which system calls each may make. `SECURITY.md` lists them, and a test compares.
//!
//! Roles in which strangers' code runs, or which hold the trade secret, have lists of what is allowed, and anything else ends the
//! process. The others serve TLS and HTTP, which takes much; they have a list of what no daemon needs and attackers like.

use std::collections::BTreeSet;
use std::fmt;

use super::calls::{Argument, Call, calls, is, masked};
use super::filter::Filter;

/// The system calls of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A cell. In two stages: loading its artifact takes more than running it.
    Cell,
    /// A cell of several strategies that trust each other, and that loads more of them while it runs.
    SharedCell,
    /// The compiler of one component.
    Compile,
    /// A child in which gate, matching engine and guest run under a virtual clock. In two stages, as a cell.
    Lab,
    /// Starts cells and compilers.
    Runner,
    /// Holds the trade secret; listens already, and starts nothing.
    Signer,
    /// Reaches the exchange, and starts nothing.
    Gateway,
    /// Watches the gateway, and starts nothing.
    Sentinel,
    /// Serves HTTP, and starts nothing.
    Console,
    /// The paper exchange, which starts nothing.
    Paper,
}

/// Memory without machine code in it.
const NO_CODE: &[&[Argument]] = &[&[masked(2, PROT_EXEC, 0)]];

const PROT_EXEC: u64 = libc::PROT_EXEC as u64;

/// On standard error.
const TO_THE_LOG: &[&[Argument]] = &[&[is(0, 2)]];

/// Whether a descriptor is open, which debug builds ask before they close it.
const IS_OPEN: &[&[Argument]] = &[&[is(1, libc::F_GETFD as u64)]];

/// On a connected socket, to nobody else.
const TO_THE_PEER: &[&[Argument]] = &[&[masked(4, u64::MAX, 0)]];

/// A thread of this process, and no process.
const A_THREAD: &[&[Argument]] = &[&[masked(0, THREAD_FLAGS, THREAD_FLAGS)]];

const THREAD_FLAGS: u64 = (libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND) as u64;

/// What is needed to put the next filter in force, and to name a thread.
const FOR_THE_NEXT_FILTER: &[&[Argument]] =
    &[&[is(0, libc::PR_SET_NO_NEW_PRIVS as u64)], &[is(0, libc::PR_SET_NAME as u64)]];

/// What any of our processes does in memory, in time and at its end.
const WORK: &[Call] = calls![
    SYS_mmap: NO_CODE, SYS_mprotect: NO_CODE, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_futex,
    SYS_clock_gettime, SYS_clock_nanosleep, SYS_sched_yield, SYS_getrandom, SYS_rt_sigreturn, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_sigaltstack, SYS_restart_syscall, SYS_gettid, SYS_getpid, SYS_fcntl: IS_OPEN,
    SYS_close, SYS_exit,
    SYS_exit_group,
];

/// A cell at work: its socket, and its log.
const CELL: &[Call] = calls![
    SYS_recvfrom, SYS_sendto: TO_THE_PEER, SYS_ppoll, SYS_write: TO_THE_LOG,
];

/// What loading an artifact takes besides: sealed memory files, machine code, and the thread of the epoch.
const LOADING: &[Call] = calls![
    SYS_read,
    SYS_pread64,
    SYS_write,
    SYS_fstat,
    SYS_statx,
    SYS_fcntl,
    SYS_memfd_create,
    SYS_ftruncate,
    SYS_mmap,
    SYS_mprotect,
];

/// What starting the thread of the epoch takes, and the next filter.
const SETTLING: &[Call] = calls![
    SYS_clone: A_THREAD, SYS_set_robust_list, SYS_rseq, SYS_sched_getaffinity, SYS_prctl: FOR_THE_NEXT_FILTER,
    SYS_prlimit64, SYS_seccomp,
];

/// How a shared cell gets its strategies: sockets and artifacts from the runner.
const SHARED: &[Call] = calls![SYS_recvmsg, SYS_sendmsg, SYS_setsockopt];

/// A backtest at work: its report, and its log.
const LAB: &[Call] = calls![SYS_getrusage, SYS_write];

/// Calls that fail as on a kernel without them. The flags of `clone3` lie in memory, where a filter cannot see them; the C library then
/// takes `clone`. The standard library looks for the limits of a control group when it counts processors, and does without.
const MISSING: &[Call] = calls![SYS_clone3, SYS_openat, SYS_tgkill];

/// A process that ends itself in despair (`abort`) sends itself a signal; without it ends by a fault, and is not taken for an attacker.
const NO_SIGNAL: &[Call] = calls![SYS_tgkill];

/// The compiler: reads one memory file, writes another, and has no thread but its own.
const COMPILE: &[Call] =
    calls![SYS_read, SYS_pread64, SYS_write, SYS_fstat, SYS_statx, SYS_fcntl, SYS_sched_getaffinity,];

/// What no daemon of ours needs: other processes' memory, the kernel's own machinery, other views of the system.
const NEVER: &[Call] = calls![
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_process_mrelease,
    SYS_kcmp,
    SYS_pidfd_getfd,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_unshare,
    SYS_setns,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_syslog,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_personality,
    SYS_vhangup,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_lookup_dcookie,
    SYS_move_pages,
    SYS_migrate_pages,
    SYS_mbind,
    SYS_set_mempolicy,
    SYS_fanotify_init,
    SYS_nfsservctl,
    SYS_vmsplice,
    SYS_mknod,
    SYS_mknodat,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capset,
];

/// For those that start nothing.
const EXEC: &[Call] = calls![SYS_execve, SYS_execveat, SYS_fork, SYS_vfork];

/// For those that have all the sockets they will ever have, and make pairs at most.
const SOCKETS: &[Call] = calls![SYS_socket, SYS_connect, SYS_bind, SYS_listen];

impl Profile {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Cell,
        Self::SharedCell,
        Self::Compile,
        Self::Lab,
        Self::Runner,
        Self::Signer,
        Self::Gateway,
        Self::Sentinel,
        Self::Console,
        Self::Paper,
    ];

    /// What its process may do until it is settled, or for good.
    pub(super) fn starting(self) -> Filter {
        let allow = |lists: &[&'static [Call]]| Filter::Allow { lists: lists.to_vec(), missing: MISSING };
        match self {
            Self::Cell => allow(&[WORK, CELL, LOADING, SETTLING]),
            Self::SharedCell => allow(&[WORK, CELL, LOADING, SHARED, SETTLING]),
            Self::Lab => allow(&[WORK, LAB, LOADING, SETTLING]),
            Self::Compile => allow(&[WORK, COMPILE]),
            Self::Runner => Filter::Deny(vec![NEVER, SOCKETS]),
            Self::Signer => Filter::Deny(vec![NEVER, SOCKETS, EXEC]),
            Self::Console => Filter::Deny(vec![NEVER, EXEC]),
            Self::Gateway | Self::Sentinel | Self::Paper => Filter::Deny(vec![NEVER, EXEC]),
        }
    }

    /// What is left to it once it is settled, where that is less.
    pub(super) fn settled(self) -> Option<Filter> {
        match self {
            Self::Cell => Some(Filter::Allow { lists: vec![WORK, CELL], missing: NO_SIGNAL }),
            Self::SharedCell => {
                Some(Filter::Allow { lists: vec![WORK, CELL, LOADING, SHARED], missing: NO_SIGNAL })
            }
            Self::Lab => Some(Filter::Allow { lists: vec![WORK, LAB], missing: NO_SIGNAL }),
            Self::Compile
            | Self::Runner
            | Self::Signer
            | Self::Gateway
            | Self::Sentinel
            | Self::Console
            | Self::Paper => None,
        }
    }

    /// The distinct calls its process may make at work, where that is a list; `None` for a profile of forbidden calls.
    pub fn allowed(self) -> Option<BTreeSet<&'static str>> {
        match self.settled().unwrap_or_else(|| self.starting()) {
            Filter::Allow { lists, .. } => Some(names(&lists)),
            Filter::Deny(_) => None,
        }
    }

    /// The distinct calls its process may make while it gets ready and not at work.
    pub fn allowed_at_first(self) -> BTreeSet<&'static str> {
        match (self.starting(), self.allowed()) {
            (Filter::Allow { lists, .. }, Some(later)) => names(&lists).difference(&later).copied().collect(),
            (Filter::Allow { .. } | Filter::Deny(_), _) => BTreeSet::new(),
        }
    }

    /// The distinct calls that are forbidden to it, where that is a list; `None` for a profile of allowed calls.
    pub fn forbidden(self) -> Option<BTreeSet<&'static str>> {
        match self.starting() {
            Filter::Deny(lists) => Some(names(&lists)),
            Filter::Allow { .. } => None,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cell => "cell",
            Self::SharedCell => "shared cell",
            Self::Compile => "compile",
            Self::Lab => "lab",
            Self::Runner => "runner",
            Self::Signer => "signer",
            Self::Gateway => "gateway",
            Self::Sentinel => "sentinel",
            Self::Console => "console",
            Self::Paper => "paper",
        })
    }
}

fn names(lists: &[&'static [Call]]) -> BTreeSet<&'static str> {
    lists.iter().copied().flatten().map(Call::name).collect()
}
