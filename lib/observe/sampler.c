// SPDX-License-Identifier: GPL-2.0-only
/* One sample: struct rq of each CPU in one read, its event counters in another; everything else is picked from those. */
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "observe/bpf_progs.h"
#include "observe/psi.h"
#include "observe/sampler.h"
#include "observe/scx_state.h"

enum {
	DEFAULT_HZ = 250, /* arch/x86 defconfig; what Debian has, too */
	PREEMPTION_TICKS = 10, /* a vCPU thread that ran less than this many ticks had no chance to advance its clock */
	STRUCT_BYTES_MAX = 64 << 10, /* a BTF that says more of struct rq lies */
	DOMAINS_MAX = 8,
	/* A BPF program's statistics lie in vmalloc memory, one page walk per CPU: read once a second. */
	PROGS_EVERY = 10,
	PROGS_MAX = 256,
};

#define SAMPLES_BYTES_MAX (UINT64_C(256) << 20)

enum { EVENTS = 0
#define COUNT_(name) + 1
KTSTR_SCX_EVENTS(COUNT_)
};

enum { SCHEDSTATS = 0
KTSTR_RQ_SCHEDSTATS(COUNT_)
#undef COUNT_
};

/* Members of struct rq. */
static const char *const rq_paths[] = { "nr_running",	  "scx.nr_running",	"scx.local_dsq.nr",
					"scx.flags",	  "clock",		"avg_irq.util_avg",
					"sd",		  "rq_sched_info.run_delay", "rq_sched_info.pcount",
					"yld_count",	  "sched_count",	"sched_goidle",
					"ttwu_count",	  "ttwu_local" };
enum rq_field { NR_RUNNING, SCX_NR_RUNNING, LOCAL_DSQ, SCX_FLAGS, CLOCK, IRQ_UTIL, DOMAIN, FIRST_SCHEDSTAT };
enum { RQ_FIELDS = sizeof(rq_paths) / sizeof(rq_paths[0]) };
_Static_assert(FIRST_SCHEDSTAT + SCHEDSTATS == RQ_FIELDS, "rq_paths ends with KTSTR_RQ_SCHEDSTATS in their order");

static const char *const event_names[] = {
#define NAME_(name) #name,
	KTSTR_SCX_EVENTS(NAME_)
#undef NAME_
};

/* Members of struct sched_domain, in the order of struct ktstr_sched_domain. */
static const char *const domain_paths[] = { "level", "flags", "span_weight", "balance_interval", "nr_balance_failed",
					    "max_newidle_lb_cost", "newidle_call", "newidle_success", "newidle_ratio",
					    "parent" };
enum { DOMAIN_FIELDS = sizeof(domain_paths) / sizeof(domain_paths[0]), DOMAIN_PARENT = DOMAIN_FIELDS - 1 };

/* A structure that is read whole: where its members are. */
struct layout {
	uint32_t bytes;
	struct ktstr_field fields[16];
	char *buffer;
};

/* What one sample owns; the public sample points into it. */
struct sample_memory {
	struct ktstr_cpu_snapshot *cpus;
	struct ktstr_sched_domain *domains;
	struct ktstr_prog_sample *progs;
};

struct ktstr_sampler {
	struct ktstr_kernel_view *view;
	uint64_t preemption_threshold_ns;
	uint64_t runqueues;
	struct layout rq, events, domain;
	char *event_members[EVENTS]; /* as this kernel's struct scx_event_stats spells them */
	int *schedstat_fds; /* by CPU; -1 = none */
	struct ktstr_psi_state psi_irq;

	uint64_t sched; /* *scx_root at the last sample */
	uint64_t events_percpu; /* its struct scx_event_stats, as a per-CPU address; 0 = none */
	struct ktstr_bpf_prog *progs; /* struct_ops programs of that scheduler */
	size_t progs_count;
	uint64_t progs_due; /* number of the sample at which they are read next */

	struct ktstr_strv names; /* of programs; samples point to them */
	struct ktstr_verified_prog verified[PROGS_MAX];
	size_t verified_count;

	struct ktstr_monitor_sample *samples;
	struct sample_memory *memory;
	size_t count, room;
	uint64_t bytes;
};

/* --- layouts --- */

static void lay_out(struct layout *layout, const struct ktstr_kernel_view *view, const char *type,
		    const char *const *paths, size_t count)
{
	layout->bytes = ktstr_types_size(view->types, type);
	if (layout->bytes > STRUCT_BYTES_MAX)
		layout->bytes = 0;
	layout->buffer = ktstr_xcalloc(layout->bytes + 1, 1);
	for (size_t i = 0; i < count; i++)
		if (paths[i])
			layout->fields[i] = ktstr_types_field(view->types, type, paths[i]);
}

/* A member of the structure that was read last; false when this kernel has no such member. */
static bool pick(const struct layout *layout, size_t field, uint64_t *value)
{
	const struct ktstr_field *at = &layout->fields[field];

	*value = 0;
	if (!at->found || !at->bytes || at->bytes > 8 || at->offset > layout->bytes - at->bytes)
		return false;
	memcpy(value, layout->buffer + at->offset, at->bytes);
	return true;
}

static bool read_whole(const struct ktstr_sampler *sampler, struct layout *layout, uint64_t address)
{
	return address && layout->bytes &&
	       ktstr_read(&sampler->view->space, address, layout->buffer, layout->bytes);
}

/* What some kernels call them. */
static const char *const renamed_events[][2] = {
	{ "SCX_EV_REFILL_SLICE_DFL", "SCX_EV_ENQ_SLICE_DFL" },
	{ "SCX_EV_REENQ_LOCAL_REPEAT", "SCX_EV_REENQ_REPEAT" },
};

/* "SCX_EV_SELECT_CPU_FALLBACK" */
static void name_events(struct ktstr_sampler *sampler)
{
	for (size_t i = 0; i < EVENTS; i++) {
		char *name = ktstr_xasprintf("SCX_EV_%s", event_names[i]);

		for (char *at = name; *at; at++)
			*at = (char)toupper((unsigned char)*at);
		for (size_t k = 0; k < sizeof(renamed_events) / sizeof(renamed_events[0]); k++)
			if (!strcmp(name, renamed_events[k][0]) &&
			    !ktstr_types_field(sampler->view->types, "scx_event_stats", name).found) {
				free(name);
				name = ktstr_xstrdup(renamed_events[k][1]);
			}
		sampler->event_members[i] = name;
	}
}

static void open_schedstats(struct ktstr_sampler *sampler, const struct ktstr_sampler_config *config)
{
	sampler->schedstat_fds = ktstr_xcalloc(sampler->view->cpus + 1, sizeof(int));
	for (unsigned int cpu = 0; cpu < sampler->view->cpus; cpu++) {
		_cleanup_free_ char *path = NULL;

		sampler->schedstat_fds[cpu] = -1;
		if (!config->vcpu_tids || cpu >= config->vcpu_tids_count || config->vcpu_tids[cpu] <= 0)
			continue;
		path = ktstr_xasprintf("/proc/%d/task/%d/schedstat", config->qemu_pid, config->vcpu_tids[cpu]);
		sampler->schedstat_fds[cpu] = open(path, O_RDONLY | O_CLOEXEC);
	}
}

struct ktstr_sampler *ktstr_sampler_create(const struct ktstr_sampler_config *config)
{
	struct ktstr_sampler *sampler = ktstr_xcalloc(1, sizeof(*sampler));
	const struct ktstr_kernel_view *view = config->view;

	sampler->view = config->view;
	sampler->preemption_threshold_ns = PREEMPTION_TICKS * KTSTR_SEC(1) / (config->hz ? config->hz : DEFAULT_HZ);
	sampler->runqueues = ktstr_view_symbol(view, "runqueues");
	name_events(sampler);
	lay_out(&sampler->rq, view, "rq", rq_paths, RQ_FIELDS);
	lay_out(&sampler->events, view, "scx_event_stats", (const char *const *)sampler->event_members, EVENTS);
	lay_out(&sampler->domain, view, "sched_domain", domain_paths, DOMAIN_FIELDS);
	open_schedstats(sampler, config);
	sampler->psi_irq = ktstr_psi_state_find(view->types, "PSI_IRQ_FULL");
	return sampler;
}

static void free_memory(struct sample_memory *memory)
{
	free(memory->cpus);
	free(memory->domains);
	free(memory->progs);
}

void ktstr_sampler_destroy(struct ktstr_sampler *sampler)
{
	if (!sampler)
		return;
	for (size_t i = 0; i < sampler->count; i++)
		free_memory(&sampler->memory[i]);
	for (unsigned int cpu = 0; cpu < sampler->view->cpus; cpu++)
		if (sampler->schedstat_fds[cpu] >= 0)
			close(sampler->schedstat_fds[cpu]);
	for (size_t i = 0; i < EVENTS; i++)
		free(sampler->event_members[i]);
	free(sampler->schedstat_fds);
	free(sampler->rq.buffer);
	free(sampler->events.buffer);
	free(sampler->domain.buffer);
	free(sampler->progs);
	ktstr_strv_deinit(&sampler->names);
	free(sampler->samples);
	free(sampler->memory);
	free(sampler);
}

/* --- one CPU --- */

static void read_events(struct ktstr_sampler *sampler, unsigned int cpu, struct ktstr_cpu_snapshot *snapshot)
{
	struct ktstr_opt_i64 *out = (struct ktstr_opt_i64 *)&snapshot->events;
	uint64_t value;

	_Static_assert(sizeof(snapshot->events) == EVENTS * sizeof(*out), "counters and nothing else");
	snapshot->has_events = read_whole(sampler, &sampler->events,
					  ktstr_view_per_cpu(sampler->view, sampler->events_percpu, cpu));
	if (!snapshot->has_events)
		return;
	for (size_t i = 0; i < EVENTS; i++)
		if (pick(&sampler->events, i, &value))
			out[i] = (struct ktstr_opt_i64){ true, (int64_t)value };
}

/* CONFIG_SCHEDSTATS: all of them or none. */
static void pick_schedstat(const struct ktstr_sampler *sampler, struct ktstr_rq_schedstat *stat)
{
	uint64_t values[SCHEDSTATS];

	for (size_t i = 0; i < SCHEDSTATS; i++)
		if (!pick(&sampler->rq, FIRST_SCHEDSTAT + i, &values[i]))
			return;
	stat->available = true;
	memcpy((char *)stat + offsetof(struct ktstr_rq_schedstat, run_delay), values, sizeof(values));
	_Static_assert(sizeof(*stat) == offsetof(struct ktstr_rq_schedstat, run_delay) + sizeof(values),
		       "counters and nothing else");
}

/* First number of /proc/<pid>/task/<tid>/schedstat: ns on a CPU. */
static struct ktstr_opt_u64 thread_time(int fd)
{
	struct ktstr_opt_u64 time = { 0 };
	char text[96];
	ssize_t got = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : -1;

	if (got <= 0)
		return time;
	text[got] = '\0';
	time.set = sscanf(text, "%" SCNu64, &time.value) == 1;
	return time;
}

/* rq.sd and its parents. Domains are freed by RCU while we look: what cannot be read ends the chain. */
static size_t read_domains(struct ktstr_sampler *sampler, uint64_t address, struct ktstr_sched_domain *out)
{
	size_t count = 0;

	while (count < DOMAINS_MAX && read_whole(sampler, &sampler->domain, address)) {
		struct ktstr_object object = ktstr_object(sampler->view, "sched_domain", address);
		struct ktstr_object name = ktstr_follow(&object, "name", "char");
		struct ktstr_sched_domain *domain = &out[count++];
		uint64_t values[DOMAIN_FIELDS];
		bool found[DOMAIN_FIELDS];

		*domain = (struct ktstr_sched_domain){ 0 };
		ktstr_read_text(&sampler->view->space, name.address, domain->name, sizeof(domain->name));
		for (size_t i = 0; i < DOMAIN_FIELDS; i++)
			found[i] = pick(&sampler->domain, i, &values[i]);
		domain->level = (int32_t)values[0];
		domain->flags = (uint32_t)values[1];
		domain->span_weight = (uint32_t)values[2];
		domain->balance_interval = values[3];
		domain->nr_balance_failed = (uint32_t)values[4];
		domain->max_newidle_lb_cost_ns = values[5];
		domain->newidle_call = (struct ktstr_opt_u64){ found[6], values[6] };
		domain->newidle_success = (struct ktstr_opt_u64){ found[7], values[7] };
		domain->newidle_ratio = (struct ktstr_opt_u64){ found[8], values[8] };
		address = values[DOMAIN_PARENT];
	}
	return count;
}

static void read_cpu(struct ktstr_sampler *sampler, unsigned int cpu, struct ktstr_cpu_snapshot *snapshot,
		     uint64_t *domain)
{
	uint64_t value;

	*domain = 0;
	snapshot->vcpu_cpu_time_ns = thread_time(sampler->schedstat_fds[cpu]);
	if (!read_whole(sampler, &sampler->rq, ktstr_view_per_cpu(sampler->view, sampler->runqueues, cpu)))
		return;
	pick(&sampler->rq, NR_RUNNING, &value);
	snapshot->nr_running = (uint32_t)value;
	pick(&sampler->rq, SCX_NR_RUNNING, &value);
	snapshot->scx_nr_running = (uint32_t)value;
	pick(&sampler->rq, LOCAL_DSQ, &value);
	snapshot->local_dsq_depth = (uint32_t)value;
	pick(&sampler->rq, SCX_FLAGS, &value);
	snapshot->scx_flags = (uint32_t)value;
	pick(&sampler->rq, CLOCK, &snapshot->rq_clock);
	if (pick(&sampler->rq, IRQ_UTIL, &value))
		snapshot->avg_irq_util = (struct ktstr_opt_f64){ true, (double)value };
	pick_schedstat(sampler, &snapshot->schedstat);
	pick(&sampler->rq, DOMAIN, domain);
	read_events(sampler, cpu, snapshot);
}

/* --- what is not per CPU --- */

static void read_psi(const struct ktstr_sampler *sampler, struct ktstr_monitor_sample *sample)
{
	struct ktstr_psi psi;

	if (ktstr_psi_irq_unavailable(sampler->view, &sampler->psi_irq))
		return;
	psi = ktstr_psi_read(sampler->view, ktstr_view_symbol(sampler->view, "psi_system"), &sampler->psi_irq);
	sample->psi_irq_full_avg10 = psi.avg10_pct;
	sample->psi_irq_full_total_ns = psi.total_ns;
}

/* scx_sched.pcpu -> event_stats from 6.18 on, scx_sched.event_stats_cpu before, a per-CPU variable in 6.15. */
static uint64_t find_events(const struct ktstr_kernel_view *view, const struct ktstr_object *sched)
{
	uint64_t pcpu = ktstr_get_or_zero(sched, "pcpu");
	struct ktstr_field stats = ktstr_types_field(view->types, "scx_sched_pcpu", "event_stats");

	if (pcpu && stats.found)
		return pcpu + stats.offset;
	if (ktstr_has(sched, "event_stats_cpu"))
		return ktstr_get_or_zero(sched, "event_stats_cpu");
	return ktstr_view_symbol(view, "event_stats_cpu");
}

static const char *keep_name(struct ktstr_sampler *sampler, const char *name)
{
	for (size_t i = 0; i < sampler->names.count; i++)
		if (!strcmp(sampler->names.items[i], name))
			return sampler->names.items[i];
	ktstr_strv_add(&sampler->names, name);
	return sampler->names.items[sampler->names.count - 1];
}

static void note_verified(struct ktstr_sampler *sampler, const struct ktstr_bpf_prog *prog)
{
	const char *name = keep_name(sampler, prog->name);

	for (size_t i = 0; i < sampler->verified_count; i++)
		if (sampler->verified[i].name == name)
			return;
	if (sampler->verified_count < PROGS_MAX)
		sampler->verified[sampler->verified_count++] =
			(struct ktstr_verified_prog){ name, prog->verified_insns };
}

static void find_progs(struct ktstr_sampler *sampler)
{
	size_t count, kept = 0;
	struct ktstr_bpf_prog *all = ktstr_bpf_progs(sampler->view, &count);

	for (size_t i = 0; i < count && kept < PROGS_MAX; i++)
		if (all[i].type == KTSTR_BPF_PROG_STRUCT_OPS)
			all[kept++] = all[i];
	free(sampler->progs);
	sampler->progs = all;
	sampler->progs_count = kept;
	for (size_t i = 0; i < kept; i++)
		note_verified(sampler, &all[i]);
}

/* Another scheduler than at the last sample, or none: where its counters are. */
static void follow_scheduler(struct ktstr_sampler *sampler)
{
	struct ktstr_object sched = ktstr_scx_sched(sampler->view);

	if (sched.address == sampler->sched)
		return;
	sampler->sched = sched.address;
	sampler->events_percpu = sched.address ? find_events(sampler->view, &sched) : 0;
	sampler->progs_count = 0;
	sampler->progs_due = sampler->count;
}

static void read_progs(struct ktstr_sampler *sampler, struct sample_memory *memory, struct ktstr_monitor_sample *sample)
{
	if (!sampler->sched || sampler->count < sampler->progs_due)
		return;
	sampler->progs_due = sampler->count + PROGS_EVERY;
	if (!sampler->progs_count)
		find_progs(sampler);
	memory->progs = ktstr_xcalloc(sampler->progs_count + 1, sizeof(*memory->progs));
	for (size_t i = 0; i < sampler->progs_count; i++) {
		struct ktstr_bpf_prog *prog = &sampler->progs[i];

		ktstr_bpf_prog_read_stats(sampler->view, prog);
		memory->progs[i] = (struct ktstr_prog_sample){ keep_name(sampler, prog->name), prog->cnt, prog->nsecs,
							       prog->misses };
	}
	sample->progs = memory->progs;
	sample->progs_count = sampler->progs_count;
}

/* --- a sample --- */

/* Where per-CPU variables and the direct map are: settled early in boot, and cheap to look at again. */
static void refresh_view(struct ktstr_kernel_view *view)
{
	uint64_t page_offset;

	if (ktstr_read_uint(&view->space, ktstr_view_symbol(view, "page_offset_base"), 8, &page_offset) &&
	    page_offset >> 63)
		view->space.page_offset = page_offset;
	if (!ktstr_read(&view->space, ktstr_view_symbol(view, "__per_cpu_offset"), view->per_cpu_offsets,
			view->cpus * sizeof(view->per_cpu_offsets[0])))
		return; /* the old ones are as good as any */
}

static void make_room(struct ktstr_sampler *sampler)
{
	if (sampler->count < sampler->room)
		return;
	sampler->room = sampler->room ? 2 * sampler->room : 256;
	sampler->samples = ktstr_xrealloc(sampler->samples, sampler->room * sizeof(*sampler->samples));
	sampler->memory = ktstr_xrealloc(sampler->memory, sampler->room * sizeof(*sampler->memory));
}

static void read_cpus(struct ktstr_sampler *sampler, struct sample_memory *memory)
{
	unsigned int cpus = sampler->view->cpus;
	size_t domains = 0;

	memory->cpus = ktstr_xcalloc(cpus + 1, sizeof(*memory->cpus));
	memory->domains = ktstr_xcalloc(cpus * DOMAINS_MAX + 1, sizeof(*memory->domains));
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		uint64_t domain;

		read_cpu(sampler, cpu, &memory->cpus[cpu], &domain);
		memory->cpus[cpu].sched_domains_count =
			read_domains(sampler, domain, &memory->domains[domains]);
		domains += memory->cpus[cpu].sched_domains_count;
	}
	memory->domains = ktstr_xrealloc(memory->domains, (domains + 1) * sizeof(*memory->domains));
	for (unsigned int cpu = 0, at = 0; cpu < cpus; cpu++) {
		memory->cpus[cpu].sched_domains = &memory->domains[at];
		at += (unsigned int)memory->cpus[cpu].sched_domains_count;
	}
	sampler->bytes += cpus * sizeof(*memory->cpus) + domains * sizeof(*memory->domains);
}

void ktstr_sampler_take(struct ktstr_sampler *sampler, uint64_t elapsed_ms)
{
	struct ktstr_monitor_sample sample = { .elapsed_ms = elapsed_ms };
	struct sample_memory memory = { 0 };

	if (ktstr_sampler_is_full(sampler))
		return;
	make_room(sampler);
	refresh_view(sampler->view);
	follow_scheduler(sampler);
	read_cpus(sampler, &memory);
	read_progs(sampler, &memory, &sample);
	read_psi(sampler, &sample);
	sample.cpus = memory.cpus;
	sample.cpus_count = sampler->view->cpus;
	sampler->memory[sampler->count] = memory;
	sampler->samples[sampler->count++] = sample;
}

struct ktstr_monitor_series ktstr_sampler_series(const struct ktstr_sampler *sampler)
{
	return (struct ktstr_monitor_series){ sampler->samples, sampler->count, sampler->preemption_threshold_ns };
}

bool ktstr_sampler_is_full(const struct ktstr_sampler *sampler)
{
	return sampler->bytes > SAMPLES_BYTES_MAX;
}

const struct ktstr_verified_prog *ktstr_sampler_verified(const struct ktstr_sampler *sampler, size_t *count)
{
	*count = sampler->verified_count;
	return sampler->verified;
}
