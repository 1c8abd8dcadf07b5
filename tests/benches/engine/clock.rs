//! The time that threads have spent on a processor, whatever else the machine does.

/// Returns the processor time of this thread, in nanoseconds.
#[cfg(unix)]
pub(crate) fn thread_time() -> f64 {
    time_by(rustix::time::ClockId::ThreadCPUTime)
}

/// Returns the processor time of all threads of this process, in nanoseconds.
#[cfg(unix)]
pub(crate) fn process_time() -> f64 {
    time_by(rustix::time::ClockId::ProcessCPUTime)
}

#[cfg(unix)]
fn time_by(clock: rustix::time::ClockId) -> f64 {
    let time = rustix::time::clock_gettime(clock);
    #[expect(clippy::cast_precision_loss, reason = "a thread's time is far below 2^52 seconds")]
    let (seconds, nanoseconds) = (time.tv_sec as f64, time.tv_nsec as f64);
    seconds * 1e9 + nanoseconds
}

/// Returns the time since the first call, in nanoseconds: this system's processor times are too coarse for a call.
#[cfg(not(unix))]
pub(crate) fn thread_time() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64() * 1e9
}

/// As [`thread_time`], for want of better.
#[cfg(not(unix))]
pub(crate) fn process_time() -> f64 {
    thread_time()
}

/// Returns the processor time of the threads of this process that have the name, in nanoseconds; 0 where the system does
/// not tell.
pub(crate) fn time_of(name: &str) -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let named = tasks.filter(|task| {
        let found = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        found.trim_end() == name
    });
    let spent = named.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    spent.sum()
}
