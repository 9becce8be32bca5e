// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a worker measures about itself: gaps and migrations at checkpoints, a uniform sample of its
 * wake latencies, and the clocks around its loop. No system call between begin and end but at a
 * change of the phase (clock and CPU come from the vDSO).
 */
#include <inttypes.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "work/numa.h"
#include "work/threads.h"
#include "work/work_type.h"

uint64_t work_random(struct worker *w)
{
	return ktstr_random_next(&w->random);
}

/* Below 2^64 / bound away from even: no test of any size would see it. */
uint64_t work_random_below(struct worker *w, uint64_t bound)
{
	return (uint64_t)(((unsigned __int128)work_random(w) * bound) >> 64);
}

/* Not from the tid or the clock: a seed must give the same streams again. */
void work_telemetry_init(struct worker *w, uint64_t seed, unsigned int index)
{
	struct ktstr_random own = ktstr_random_seeded(seed), stream = ktstr_random_seeded(index + 1ull);

	w->random = ktstr_random_seeded(ktstr_random_next(&own) ^ ktstr_random_next(&stream));
}

/* Vitter's algorithm R: every sample so far has the same chance to be among the kept ones. */
void work_record(struct worker *w, enum work_reservoir which, uint64_t value_ns)
{
	uint64_t slot;

	if (w->bare)
		return;
	slot = w->sample_totals[which]++;
	if (slot >= KTSTR_RESERVOIR_CAP)
		slot = work_random_below(w, w->sample_totals[which]);
	if (slot < KTSTR_RESERVOIR_CAP)
		w->shared->samples_ns[which][slot] = value_ns;
	if (w->phase.open && which != WORK_COST)
		work_phase_record(w, which, value_ns);
}

static void see_cpu(struct worker *w, uint64_t now_ns)
{
	int answer = sched_getcpu();
	unsigned int cpu = answer < 0 ? w->last_cpu : (unsigned int)answer;

	if (cpu < KTSTR_MAX_CPUS) {
		w->cpus_used.bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
		/* One that waited while the phase ended may be where only the next one lets it. */
		if (work_phase_epoch(w) == w->phase.epoch)
			w->phase.cpus_used.bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
	}
	if (cpu == w->last_cpu)
		return;
	if (w->migration_count < KTSTR_MIGRATIONS_CAP)
		w->shared->migrations[w->migration_count] = (struct ktstr_migration){
			.at_ns = now_ns - w->begin_ns,
			.from_cpu = w->last_cpu,
			.to_cpu = cpu,
		};
	w->migration_count++;
	w->last_cpu = cpu;
}

void work_checkpoint_now(struct worker *w)
{
	uint64_t now, gap;
	uint32_t epoch;

	if (w->bare)
		return;
	now = ktstr_now_ns();
	gap = now - w->last_checkpoint_ns;
	see_cpu(w, now);
	if (gap > w->max_gap_ns) {
		w->max_gap_ns = gap;
		w->max_gap_cpu = w->last_cpu;
		w->max_gap_at_ns = now - w->begin_ns;
	}
	if (gap > w->phase.max_gap_ns) {
		w->phase.max_gap_ns = gap;
		w->phase.max_gap_cpu = w->last_cpu;
	}
	w->last_checkpoint_ns = work_perturb(w, now) ? ktstr_now_ns() : now;
	epoch = work_phase_epoch(w);
	if (epoch != w->phase.epoch)
		work_phase_change(w, epoch, now);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec used;

	clock_gettime(clock, &used);
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

uint64_t work_cpu_ns(const struct worker *w)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) + w->team_cpu_ns + (w->team ? work_threads_cpu_ns(w->team) : 0);
}

uint64_t work_migrations(const struct worker *w)
{
	return w->migration_count + (w->team ? __atomic_load_n(&w->team->migrations, __ATOMIC_RELAXED) : 0);
}

/*
 * "<on-CPU ns> <ns waiting on a runqueue> <times run>": kernel/sched/stats.h, needs
 * CONFIG_SCHED_INFO.
 */
struct work_schedstat work_read_schedstat(void)
{
	return work_read_schedstat_of(gettid());
}

struct work_schedstat work_read_schedstat_of(int tid)
{
	struct work_schedstat stat = { 0 };
	char path[64], text[96];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return stat;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	stat.available = sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &stat.cpu_time_ns,
				&stat.run_delay_ns, &stat.run_count) == 3;
	return stat;
}

struct ktstr_cpus work_own_affinity(void)
{
	struct ktstr_cpus cpus = { 0 };

	if (syscall(SYS_sched_getaffinity, 0, sizeof(cpus.bits), cpus.bits) < 0)
		ktstr_cpus_add(&cpus, 0);
	return cpus;
}

unsigned int work_usable_cpus(void)
{
	struct ktstr_cpus cpus = work_own_affinity();

	return ktstr_cpus_count(&cpus);
}

void work_telemetry_begin(struct worker *w)
{
	int cpu = sched_getcpu();

	w->begin_schedstat = work_read_schedstat();
	w->last_cpu = cpu < 0 ? 0 : (unsigned int)cpu;
	w->begin_ns = ktstr_now_ns();
	w->begin_cpu_ns = work_cpu_ns(w);
	see_cpu(w, w->begin_ns);
	work_reset_gap(w, w->begin_ns);
	if (work_phase_epoch(w))
		work_phase_change(w, work_phase_epoch(w), w->begin_ns);
}

static void report_schedstat(struct worker *w, struct ktstr_worker_report *report)
{
	const struct work_schedstat *begin = &w->begin_schedstat;
	struct work_schedstat end = work_read_schedstat();

	if (!begin->available || !end.available) {
		work_warn_once(
			w, WORK_WARN_SCHEDSTAT,
			"/proc/self/task/<tid>/schedstat cannot be read: run delays will be absent "
			"(the kernel needs CONFIG_SCHED_INFO)");
		return;
	}
	report->schedstat_available = true;
	report->schedstat_cpu_time_ns = end.cpu_time_ns - begin->cpu_time_ns;
	report->schedstat_run_delay_ns = end.run_delay_ns - begin->run_delay_ns;
	report->schedstat_run_count = end.run_count - begin->run_count;
}

void work_telemetry_end(struct worker *w)
{
	struct ktstr_worker_report *report = &w->shared->report;

	work_checkpoint_now(w);
	work_phase_end(w);
	report->cpu_time_ns = work_cpu_ns(w) - w->begin_cpu_ns;
	report->wall_time_ns = ktstr_now_ns() - w->begin_ns;
	if (report->wall_time_ns > report->cpu_time_ns)
		report->off_cpu_ns = report->wall_time_ns - report->cpu_time_ns;
	report_schedstat(w, report);
	if (!w->numa_region)
		work_numa_pages(w, report->numa_pages);
	report->work_units = w->work_units;
	report->iterations = w->iterations;
	report->max_gap_ns = w->max_gap_ns;
	report->max_gap_cpu = w->max_gap_cpu;
	report->max_gap_at_ns = w->max_gap_at_ns;
	report->migration_count = w->migration_count;
	report->cpus_used = w->cpus_used;
	report->wake_latencies.total_samples = w->sample_totals[WORK_WAKE];
	report->iteration_costs.total_samples = w->sample_totals[WORK_COST];
	report->timer_latencies.total_samples = w->sample_totals[WORK_TIMER];
}

void work_warn_once(struct worker *w, enum work_warning what, const char *fmt, ...)
{
	char line[512];
	va_list args;
	int length;

	if (atomic_fetch_or(&w->control->warned, what) & what)
		return;
	va_start(args, fmt);
	length = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	if (length < 0)
		return;
	/*
	 * One write of our own: stdio's buffers are a copy of the parent's and may hold its text.
	 */
	dprintf(STDERR_FILENO, "ktstr: warning: %s\n", line);
}
