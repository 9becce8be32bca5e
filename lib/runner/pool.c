// SPDX-License-Identifier: GPL-2.0-only
/*
 * Side-by-side runs: one worker process a run, so that a crash in one cannot touch another, and the death of ktstr
 * takes workers and their VMs along (PR_SET_PDEATHSIG down the chain).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "host/usable_cpus.h"
#include "reserve/apply.h"
#include "result/index.h"
#include "result/junit.h"
#include "runner/job_bundle.h"
#include "runner/memory.h"
#include "runner/post_vm.h"
#include "runner/runner.h"
#include "vm/machine.h"
#include "vm/template_store.h"

enum { TICK_MS = 200, MESSAGE_MAX = 64 << 20 };
#define TIDY_EVERY KTSTR_SEC(1)

/*
 * A worker speaks in lines: "stage <what>", then "stored <sidecar>", or "result <json>" when it could not be stored.
 * Both ends are ours, but the JSON carries the guest's words: it is parsed as hostile.
 */
struct slot {
	pid_t pid; /* 0 = free */
	int fd;
	size_t index; /* of the run */
	struct ktstr_str input;
	struct ktstr_memory_claim claim;
	bool finished;
};

struct pool {
	const struct ktstr_run_setup *setup;
	const struct ktstr_run *runs;
	size_t count, next, done;
	const struct ktstr_pool_options *options;
	struct slot *slots;
	unsigned int slots_count;
	struct ktstr_printer *printer;
	struct ktstr_junit *junit; /* NULL = not wanted */
	int signal_fd;
	bool failed, cancelled, index_failed, boot_told;
	uint64_t began_ns, tidied_ns;
	uint64_t waiting_since_ns; /* the next run waits for memory; 0 = it does not */
	uint64_t clone_peak_mib; /* largest share measured of a clone */
	struct ktstr_strv told; /* disturbances */
	bool build_told; /* that a template is made */
	bool *restored; /* by run: it has come to run as a clone */
};

static void send_line(int fd, const char *word, const char *text)
{
	_cleanup_free_ char *line = ktstr_xasprintf("%s %s\n", word, text);
	_cleanup_error_ struct ktstr_error *error = ktstr_write_all(fd, line, strlen(line), "the pool");

	if (error)
		_exit(KTSTR_EXIT_FAIL); /* the parent is gone */
}

static void send_stage(void *context, const char *stage)
{
	send_line(*(int *)context, "stage", stage);
}

/* The worker's whole life; never returns. */
static _Noreturn void worker_main(const struct pool *pool, const struct ktstr_run *run, uint64_t queued_ns,
				  pid_t parent, int fd)
{
	struct ktstr_test_result result;
	struct ktstr_error *error;
	sigset_t none;
	json_t *json;
	char *text;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(KTSTR_EXIT_FAIL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	ktstr_run_execute(pool->setup, run, send_stage, &fd, &result);
	if (queued_ns)
		ktstr_test_result_add_stage(&result, "wait", queued_ns);
	error = ktstr_result_store(pool->setup->run_dir, &result);
	if (!error && ktstr_run_post_vm(run, &result))
		error = ktstr_result_store(pool->setup->run_dir, &result);
	if (error) {
		ktstr_assert_record(&result.verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER,
				    "the result could not be stored: %s", ktstr_error_message(error));
		if (!result.cause)
			result.cause = ktstr_xstrdup(ktstr_error_message(error));
	}
	if (!error) {
		send_line(fd, "stored", result.sidecar_path);
		_exit(KTSTR_EXIT_PASS);
	}
	json = ktstr_result_to_json(&result);
	text = json_dumps(json, JSON_COMPACT);
	send_line(fd, "result", text ? text : "{}");
	_exit(KTSTR_EXIT_PASS);
}

static struct ktstr_error *start_worker(struct pool *pool, struct slot *slot)
{
	const struct ktstr_run *run = &pool->runs[pool->next];
	uint64_t queued_ns = pool->waiting_since_ns ? ktstr_now_ns() - pool->waiting_since_ns : 0;
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return ktstr_error_sys(errno, "cannot create a pipe");
	if (!run->test->host_only)
		ktstr_job_prepare(run);
	fflush(NULL);
	slot->pid = fork();
	if (slot->pid < 0) {
		slot->pid = 0;
		close(ends[0]);
		close(ends[1]);
		return ktstr_error_sys(errno, "cannot fork");
	}
	if (slot->pid == 0)
		worker_main(pool, run, queued_ns, parent, ends[1]);
	close(ends[1]);
	slot->fd = ends[0];
	slot->index = pool->next++;
	slot->finished = false;
	pool->waiting_since_ns = 0;
	ktstr_printer_started(pool->printer, slot->index, run->full_name,
			      ktstr_topology_format(&run->topology, shape), run->scheduler.label);
	return NULL;
}

/* A boot where a clone was wanted costs seconds in each test, and nothing else would say why; once is enough. */
static void tell_boot(struct pool *pool, const struct ktstr_run *run, const struct ktstr_test_result *result)
{
	_cleanup_free_ char *text = NULL;

	if (pool->boot_told || run->cold || !result->start_reason || !result->start_mode || strcmp(result->start_mode, "cold"))
		return;
	pool->boot_told = true;
	text = ktstr_xasprintf("%s booted instead of starting from a saved VM: %s", run->full_name, result->start_reason);
	ktstr_printer_warn(pool->printer, text);
}

/* What disturbed a measurement, each once. */
static void tell_disturbances(struct pool *pool, const struct ktstr_test_result *result)
{
	for (size_t i = 0; i < result->verdict.notes_count; i++) {
		const char *note = result->verdict.notes[i].message;

		if (!ktstr_str_starts_with(note, KTSTR_PERFORMANCE_WARNING) || ktstr_strv_contains(&pool->told, note))
			continue;
		ktstr_strv_add(&pool->told, note);
		ktstr_printer_warn(pool->printer, note);
	}
}

static void finish(struct pool *pool, struct slot *slot, struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);

	if (ktstr_run_is_measured(&pool->runs[slot->index]))
		tell_disturbances(pool, result);
	tell_boot(pool, &pool->runs[slot->index], result);
	slot->finished = true;
	pool->done++;
	pool->failed |= kind == KTSTR_OUTCOME_FAIL;
	result->instance = ktstr_run_instance(pool->runs, pool->count, slot->index);
	ktstr_printer_finished(pool->printer, slot->index, result);
	if (pool->junit)
		ktstr_junit_add(pool->junit, result);
	ktstr_test_result_deinit(result);
}

/* A result that cannot be read is a failure that says so. */
static void finish_or_explain(struct pool *pool, struct slot *slot, struct ktstr_error *error,
			      struct ktstr_test_result *result)
{
	if (error)
		ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "%s",
				    ktstr_error_message(error));
	ktstr_error_free(error);
	finish(pool, slot, result);
}

/* Results are complete without it; one complaint is enough. */
static void add_to_index(struct pool *pool, const char *sidecar_path)
{
	_cleanup_error_ struct ktstr_error *error = ktstr_index_record(sidecar_path);

	if (error && !pool->index_failed)
		fprintf(stderr, "ktstr: warning: not in the index of runs: %s (`ktstr runs reindex` adds what is missing)\n",
			ktstr_error_message(error));
	pool->index_failed |= error != NULL;
}

/* The usual way: sidecar and logs are files. */
static void finish_stored(struct pool *pool, struct slot *slot, const char *sidecar_path)
{
	struct ktstr_test_result result = { 0 };
	struct ktstr_error *error = ktstr_result_load(sidecar_path, &result);

	if (!error)
		add_to_index(pool, sidecar_path);
	finish_or_explain(pool, slot, error, &result);
}

static void finish_from_json(struct pool *pool, struct slot *slot, const char *text)
{
	struct ktstr_test_result result = { 0 };
	json_error_t parse_error;
	json_t *json = json_loads(text, 0, &parse_error);
	struct ktstr_error *error =
		json ? ktstr_result_from_json(json, &result) :
		       ktstr_error_new(KTSTR_ERR_CORRUPT, "a worker's result: %s", parse_error.text);

	json_decref(json);
	finish_or_explain(pool, slot, error, &result);
}

/* A run without a worker's result: a failure of its test, by name, or a skip of one that had no room. */
static void finish_without_result(struct pool *pool, struct slot *slot, enum ktstr_outcome_kind outcome, const char *cause)
{
	struct ktstr_test_result result;
	bool skipped = outcome == KTSTR_OUTCOME_SKIP;
	struct ktstr_error *error;

	ktstr_run_identify(pool->setup, &pool->runs[slot->index], &result);
	result.cause = skipped ? NULL : ktstr_xstrdup(cause);
	ktstr_assert_record(&result.verdict, outcome, skipped ? KTSTR_DETAIL_SKIP : KTSTR_DETAIL_OTHER, "%s", cause);
	error = ktstr_result_store(pool->setup->run_dir, &result);
	if (!error)
		add_to_index(pool, result.sidecar_path);
	finish_or_explain(pool, slot, error, &result);
}

static void finish_lost(struct pool *pool, struct slot *slot, int wait_status)
{
	_cleanup_free_ char *how = ktstr_describe_wait_status(wait_status);
	_cleanup_free_ char *cause = ktstr_xasprintf("the process that ran this test died: %s", how);

	finish_without_result(pool, slot, KTSTR_OUTCOME_FAIL, cause);
}

/*
 * Without a live line nothing would say why the first run takes seconds before it begins. Once is enough: the next one is
 * known by its likeness.
 */
static void tell_build(struct pool *pool, const struct ktstr_run *run, const char *stage)
{
	_cleanup_free_ char *text = pool->build_told ? NULL : ktstr_run_build_note(run, stage);

	if (!text)
		return;
	pool->build_told = true;
	ktstr_printer_note(pool->printer, text);
}

static void follow_stage(struct pool *pool, struct slot *slot, const char *stage)
{
	if (!strcmp(stage, KTSTR_STAGE_RESTORING))
		slot->claim.clone = pool->restored[slot->index] = true;
	tell_build(pool, &pool->runs[slot->index], stage);
	ktstr_printer_stage(pool->printer, slot->index, stage);
}

static void take_lines(struct pool *pool, struct slot *slot)
{
	char *newline;

	while ((newline = slot->input.length ? strchr(slot->input.data, '\n') : NULL)) {
		char *line = slot->input.data;
		size_t used = (size_t)(newline - line) + 1;

		*newline = '\0';
		if (ktstr_str_starts_with(line, "stage "))
			follow_stage(pool, slot, line + strlen("stage "));
		else if (ktstr_str_starts_with(line, "stored ") && !slot->finished)
			finish_stored(pool, slot, line + strlen("stored "));
		else if (ktstr_str_starts_with(line, "result ") && !slot->finished)
			finish_from_json(pool, slot, line + strlen("result "));
		slot->input.length -= used;
		memmove(line, line + used, slot->input.length + 1);
	}
}

static void close_slot(struct pool *pool, struct slot *slot)
{
	int wait_status = 0;

	while (waitpid(slot->pid, &wait_status, 0) < 0 && errno == EINTR)
		;
	if (!slot->finished && !pool->cancelled)
		finish_lost(pool, slot, wait_status);
	close(slot->fd);
	ktstr_str_deinit(&slot->input);
	*slot = (struct slot){ .fd = -1 };
}

static void read_slot(struct pool *pool, struct slot *slot)
{
	char chunk[65536];
	ssize_t got = read(slot->fd, chunk, sizeof(chunk));

	if (got < 0 && errno == EINTR)
		return;
	if (got > 0 && slot->input.length < MESSAGE_MAX) {
		ktstr_str_add_bytes(&slot->input, chunk, (size_t)got);
		take_lines(pool, slot);
	} else if (got <= 0) {
		close_slot(pool, slot);
	}
}

static void cancel(struct pool *pool)
{
	struct signalfd_siginfo taken;

	/* Taken off the queue, or it would be delivered when the signals are unblocked again. */
	while (read(pool->signal_fd, &taken, sizeof(taken)) > 0)
		;
	pool->cancelled = true;
	for (unsigned int i = 0; i < pool->slots_count; i++)
		if (pool->slots[i].pid)
			kill(pool->slots[i].pid, SIGKILL);
}

static bool busy(const struct pool *pool)
{
	for (unsigned int i = 0; i < pool->slots_count; i++)
		if (pool->slots[i].pid)
			return true;
	return false;
}

/* Do both start from the same template? */
static bool share_template(const struct ktstr_run *a, const struct ktstr_run *b)
{
	char shape_a[KTSTR_TOPOLOGY_TEXT_BYTES], shape_b[KTSTR_TOPOLOGY_TEXT_BYTES];

	return !strcmp(ktstr_topology_format(&a->topology, shape_a), ktstr_topology_format(&b->topology, shape_b)) &&
	       a->test->memory_mib == b->test->memory_mib && a->deterministic == b->deterministic &&
	       a->fresh_attach == b->fresh_attach && !strcmp(a->scheduler.label, b->scheduler.label);
}

/* What the next run may take: in full, unless one like it has shown that there is a template. */
static struct ktstr_memory_claim next_claim(const struct pool *pool)
{
	const struct ktstr_run *run = &pool->runs[pool->next];
	struct ktstr_memory_claim claim = {
		.guest_mib = ktstr_machine_memory_mib(&run->topology, run->test->memory_mib),
		.vcpus = ktstr_topology_total_cpus(&run->topology),
	};

	if (run->test->host_only || run->refusal)
		return (struct ktstr_memory_claim){ 0 };
	for (size_t i = 0; i < pool->next && !run->cold && !claim.clone; i++)
		claim.clone = pool->restored[i] && share_template(run, &pool->runs[i]);
	return claim;
}

/* Measures what runs; how much is left for one more. */
static uint64_t memory_left_mib(struct pool *pool, struct ktstr_memory_host *host)
{
	_cleanup_free_ struct ktstr_memory_claim *claims = ktstr_xcalloc(pool->slots_count, sizeof(*claims));
	size_t count = 0;

	ktstr_memory_host_read("", host);
	for (unsigned int i = 0; i < pool->slots_count; i++) {
		struct slot *slot = &pool->slots[i];

		if (!slot->pid)
			continue;
		slot->claim.used_mib = ktstr_memory_share_mib("", slot->pid);
		if (slot->claim.clone && slot->claim.used_mib > pool->clone_peak_mib)
			pool->clone_peak_mib = slot->claim.used_mib;
		claims[count++] = slot->claim;
	}
	return ktstr_memory_left_mib(host, claims, count, pool->clone_peak_mib);
}

/* A run that does not fit into an otherwise idle host will not fit later either. */
static void refuse(struct pool *pool, const struct ktstr_memory_host *host, const struct ktstr_memory_claim *claim)
{
	_cleanup_error_ struct ktstr_error *why = ktstr_memory_refusal(host, claim, pool->clone_peak_mib);
	const struct ktstr_run *run = &pool->runs[pool->next];
	struct slot none = { .index = pool->next++ };
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	ktstr_printer_started(pool->printer, none.index, run->full_name,
			      ktstr_topology_format(&run->topology, shape), run->scheduler.label);
	finish_without_result(pool, &none, KTSTR_OUTCOME_SKIP, ktstr_error_message(why));
}

/* What is measured has the host to itself: runs that reserve nothing would run on its CPUs. */
static bool waits_for_cpus(const struct pool *pool)
{
	bool alone = ktstr_run_is_measured(&pool->runs[pool->next]);

	for (unsigned int i = 0; i < pool->slots_count; i++)
		if (pool->slots[i].pid && (alone || ktstr_run_is_measured(&pool->runs[pool->slots[i].index])))
			return true;
	return false;
}

/* Starts the next run in the slot if memory allows, or refuses it for good; false: it has to wait. */
static struct ktstr_error *start_next(struct pool *pool, struct slot *slot, bool *waits)
{
	struct ktstr_memory_claim claim = next_claim(pool);
	uint64_t need = ktstr_memory_claim_mib(&claim, pool->clone_peak_mib);
	struct ktstr_memory_host host;
	uint64_t left = memory_left_mib(pool, &host);

	*waits = (need > left && busy(pool)) || waits_for_cpus(pool);
	if (*waits) {
		if (!pool->waiting_since_ns)
			pool->waiting_since_ns = ktstr_now_ns();
		return NULL;
	}
	/* Templates that nobody uses are memory, too. */
	if (need > left && !host.limited && ktstr_template_shrink((need - left) << 20))
		left = memory_left_mib(pool, &host);
	if (need > left) {
		refuse(pool, &host, &claim);
		return NULL;
	}
	slot->claim = claim;
	return start_worker(pool, slot);
}

static struct ktstr_error *fill_slots(struct pool *pool)
{
	uint64_t budget = pool->options->budget_ns;
	bool waits = false;

	for (unsigned int i = 0; i < pool->slots_count && !waits; i++) {
		while (!pool->slots[i].pid && pool->next < pool->count && !waits) {
			if (pool->cancelled || (pool->options->fail_fast && pool->failed) ||
			    (budget && ktstr_now_ns() - pool->began_ns > budget))
				return NULL;
			KTSTR_TRY(start_next(pool, &pool->slots[i], &waits));
		}
	}
	return NULL;
}

static void wait_once(struct pool *pool)
{
	_cleanup_free_ struct pollfd *fds = ktstr_xcalloc(pool->slots_count + 1, sizeof(*fds));

	for (unsigned int i = 0; i < pool->slots_count; i++)
		fds[i] = (struct pollfd){ .fd = pool->slots[i].pid ? pool->slots[i].fd : -1,
					  .events = POLLIN };
	fds[pool->slots_count] = (struct pollfd){ .fd = pool->signal_fd, .events = POLLIN };
	if (poll(fds, pool->slots_count + 1, TICK_MS) > 0) {
		if (fds[pool->slots_count].revents)
			cancel(pool);
		for (unsigned int i = 0; i < pool->slots_count; i++)
			if (fds[i].revents && pool->slots[i].pid)
				read_slot(pool, &pool->slots[i]);
	}
	ktstr_printer_tick(pool->printer);
	if (ktstr_now_ns() - pool->tidied_ns > TIDY_EVERY) {
		ktstr_template_tidy();
		pool->tidied_ns = ktstr_now_ns();
	}
}

static struct ktstr_error *run_all(struct pool *pool)
{
	struct ktstr_error *error = NULL;

	for (;;) {
		if (!error)
			error = fill_slots(pool);
		if (!busy(pool))
			break;
		wait_once(pool);
	}
	if (!error && pool->cancelled)
		error = ktstr_error_new(KTSTR_ERR_CANCELLED, "interrupted; %zu of %zu tests had finished",
					pool->done, pool->count);
	return error;
}

struct ktstr_error *ktstr_pool_run(const struct ktstr_run_setup *setup, const struct ktstr_run *runs,
				   size_t count, const struct ktstr_pool_options *options,
				   int *exit_code)
{
	struct pool pool = { .setup = setup, .runs = runs, .count = count, .options = options };
	struct ktstr_error *error, *junit_error = NULL;
	size_t planned = count;
	sigset_t watched, before;

	sigemptyset(&watched);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGHUP);
	pool.signal_fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (pool.signal_fd < 0)
		return ktstr_error_sys(errno, "cannot watch for signals");
	sigprocmask(SIG_BLOCK, &watched, &before);
	pool.began_ns = ktstr_now_ns();
	pool.slots_count = options->jobs ? options->jobs : ktstr_usable_cpus();
	if (pool.slots_count > count)
		pool.slots_count = (unsigned int)count;
	pool.slots = ktstr_xcalloc(pool.slots_count + 1, sizeof(*pool.slots));
	pool.restored = ktstr_xcalloc(count + 1, sizeof(*pool.restored));
	/* With a budget nobody knows yet how many will run. */
	pool.printer = ktstr_printer_create(options->format, options->budget_ns ? 0 : count);
	pool.junit = options->junit_path ? ktstr_junit_create() : NULL;
	error = run_all(&pool);
	if (options->budget_ns && !pool.cancelled && !error && !(options->fail_fast && pool.failed))
		planned = pool.next;
	ktstr_printer_limit(pool.printer, planned, count - planned);
	if (pool.junit)
		junit_error = ktstr_junit_write(pool.junit, options->junit_path, planned - pool.done);
	ktstr_junit_destroy(pool.junit);
	*exit_code = ktstr_printer_end(pool.printer, setup->run_dir, options->no_skip_mode);
	ktstr_printer_destroy(pool.printer);
	close(pool.signal_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(pool.slots);
	free(pool.restored);
	ktstr_strv_deinit(&pool.told);
	if (error) {
		ktstr_error_free(junit_error);
		return error;
	}
	return junit_error;
}
