// SPDX-License-Identifier: GPL-2.0-only
/* The same values that say.c prints in the guest, from its memory. One reader a kind of key. */
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "host.h"
#include "observe/bpf_maps.h"
#include "observe/bpf_progs.h"
#include "observe/cpu_time.h"
#include "observe/psi.h"

enum { NS_PER_TICK = 10000000 /* USER_HZ is 100 */ };

/* What lists there are, made at the first question. */
static struct {
	struct ktstr_bpf_maps *maps;
	struct ktstr_bpf_prog *progs;
	size_t progs_count;
	json_t *numa;
	struct ktstr_cgroup_pressures pressures;
} made;

void outside_forget(void)
{
	ktstr_bpf_maps_destroy(made.maps);
	free(made.progs);
	json_decref(made.numa);
	ktstr_cgroup_pressures_deinit(&made.pressures);
	memset(&made, 0, sizeof(made));
}

static char *text_of(int64_t value)
{
	return ktstr_xasprintf("%lld", (long long)value);
}

/* A member in units of `per`, less `minus`. */
static char *member(const struct ktstr_object *object, const char *path, int64_t per, int64_t minus)
{
	int64_t value;

	return ktstr_get_signed(object, path, &value) ? text_of(value / per - minus) : NULL;
}

/* symbol.<address>.<name> 1: is there a symbol of that name at that address? Several may share either. */
static char *read_symbol(const struct ktstr_kernel_view *view, const char *which, const char *name)
{
	uint64_t address = strtoull(which, NULL, 16);
	size_t count;
	const struct ktstr_symbol *all = ktstr_symbols_all(view->symbols, &count);

	for (size_t i = 0; i < count; i++)
		if (all[i].address == address && !strcmp(all[i].name, name))
			return ktstr_xstrdup("1");
	return ktstr_xstrdup("0");
}

static struct ktstr_object per_cpu(const struct ktstr_kernel_view *view, const char *type, const char *symbol, const char *cpu)
{
	return ktstr_object(view, type,
			    ktstr_view_per_cpu(view, ktstr_view_symbol(view, symbol), (unsigned int)strtoul(cpu, NULL, 10)));
}

static char *read_cpu(const struct ktstr_kernel_view *view, const char *which, const char *field)
{
	static const char *const fields[][2] = {
		{ "user", "cpustat[0]" },    { "nice", "cpustat[1]" }, { "system", "cpustat[2]" },
		{ "softirq", "cpustat[3]" }, { "irq", "cpustat[4]" },  { "steal", "cpustat[7]" },
	};
	struct ktstr_object cpustat = per_cpu(view, "kernel_cpustat", "kernel_cpustat", which);

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(field, fields[i][0]))
			return member(&cpustat, fields[i][1], NS_PER_TICK, 0);
	return NULL;
}

static char *read_rq(const struct ktstr_kernel_view *view, const char *which, const char *field)
{
	struct ktstr_object rq = per_cpu(view, "rq", "runqueues", which);

	return member(&rq, field, 1, 0);
}

static char *read_softirq(const struct ktstr_kernel_view *view, const char *which, const char *row)
{
	struct ktstr_object kstat = per_cpu(view, "kernel_stat", "kstat", which);
	_cleanup_free_ char *path = ktstr_xasprintf("softirqs[%s]", row);

	return member(&kstat, path, 1, 0);
}

static char *read_numa(const struct ktstr_kernel_view *view, const char *which, const char *field)
{
	const char *reason;
	const json_t *count;

	if (!made.numa)
		made.numa = ktstr_per_node_numa(view, &reason);
	count = json_object_get(json_array_get(made.numa, strtoul(which, NULL, 10)), field);
	return count ? json_dumps(count, JSON_ENCODE_ANY) : NULL;
}

struct search {
	const struct ktstr_kernel_view *view;
	int64_t pid;
	uint64_t task;
};

static bool is_it(void *context, uint64_t node)
{
	struct search *search = context;
	struct ktstr_object task = ktstr_container(search->view, "task_struct", "tasks", node);
	int64_t pid;

	if (ktstr_get_signed(&task, "pid", &pid) && pid == search->pid)
		search->task = task.address;
	return !search->task;
}

/* Thread group leaders: init_task.tasks links them all. */
static struct ktstr_object find_task(const struct ktstr_kernel_view *view, const char *pid)
{
	struct ktstr_object first = ktstr_object(view, "task_struct", ktstr_view_symbol(view, "init_task"));
	struct search search = { view, strtol(pid, NULL, 10), 0 };

	ktstr_walk_list(view, ktstr_member_address(&first, "tasks"), 1 << 16, is_it, &search);
	return ktstr_object(view, "task_struct", search.task);
}

static char *read_task(const struct ktstr_kernel_view *view, const char *which, const char *field)
{
	static const struct {
		const char *field, *path;
		int64_t minus, per;
	} numbers[] = {
		{ "priority", "prio", 100, 1 }, /* MAX_RT_PRIO */
		{ "nice", "static_prio", 120, 1 }, /* DEFAULT_PRIO */
		{ "processor", "thread_info.cpu", 0, 1 },
		{ "rt_priority", "rt_priority", 0, 1 },
		{ "policy", "policy", 0, 1 },
		{ "nvcsw", "nvcsw", 0, 1 },
		{ "nivcsw", "nivcsw", 0, 1 },
		{ "start_ticks", "start_boottime", 0, NS_PER_TICK },
	};
	struct ktstr_object task = find_task(view, which), signal = ktstr_follow(&task, "signal", "signal_struct");
	struct ktstr_object parent = ktstr_follow(&task, "real_parent", "task_struct");
	struct ktstr_object group = ktstr_follow(&signal, "pids[2]", "pid"), session = ktstr_follow(&signal, "pids[3]", "pid");
	const struct {
		const char *field, *path;
		const struct ktstr_object *object;
	} others[] = { { "ppid", "tgid", &parent },
		       { "threads", "nr_threads", &signal },
		       { "pgrp", "numbers[0].nr", &group },
		       { "session", "numbers[0].nr", &session } };
	char comm[32];
	char *text;

	if (!strcmp(field, "comm"))
		return ktstr_get_text(&task, "comm", comm, sizeof(comm)) ? ktstr_xstrdup(comm) : NULL;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(field, numbers[i].field))
			return member(&task, numbers[i].path, numbers[i].per, numbers[i].minus);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(field, others[i].field)) {
			text = member(others[i].object, others[i].path, 1, 0);
			return text || !task.address ? text : text_of(0); /* a kernel thread's group is none */
		}
	return NULL;
}

/* kernel.<symbol>.<bytes> */
static char *read_kernel(const struct ktstr_kernel_view *view, const char *symbol, const char *bytes)
{
	size_t size = strtoul(bytes, NULL, 10);
	uint64_t value;

	if (!size || !ktstr_read_uint(&view->space, ktstr_view_symbol(view, symbol), size, &value))
		return NULL;
	return text_of((int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size));
}

static char *read_btf(const struct ktstr_kernel_view *view, const char *which, const char *field)
{
	uint32_t bytes;

	(void)which, (void)field;
	return btf__raw_data(ktstr_types_btf(view->types), &bytes) ? text_of(bytes) : NULL;
}

static char *read_map(const struct ktstr_kernel_view *view, const char *which, const char *field)
{
	const struct ktstr_bpf_map *all;
	uint32_t id = (uint32_t)strtoul(which, NULL, 10);
	size_t count;

	if (!made.maps)
		made.maps = ktstr_bpf_maps_find(view);
	all = ktstr_bpf_maps_all(made.maps, &count);
	for (size_t i = 0; i < count; i++) {
		const struct {
			const char *field;
			uint32_t value;
		} fields[] = { { "type", all[i].type },
			       { "key_size", all[i].key_size },
			       { "value_size", all[i].value_size },
			       { "max_entries", all[i].max_entries },
			       { "flags", all[i].flags } };

		if (all[i].id != id)
			continue;
		if (!strcmp(field, "name"))
			return ktstr_xstrdup(all[i].name);
		for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++)
			if (!strcmp(field, fields[f].field))
				return text_of(fields[f].value);
	}
	return NULL;
}

static char *read_prog(const struct ktstr_kernel_view *view, const char *which, const char *field)
{
	if (!made.progs)
		made.progs = ktstr_bpf_progs(view, &made.progs_count);
	for (size_t i = 0; i < made.progs_count; i++)
		if (!strcmp(made.progs[i].name, which))
			return text_of(!strcmp(field, "type")	      ? (int64_t)made.progs[i].type :
				       !strcmp(field, "verified_insns") ? (int64_t)made.progs[i].verified_insns :
									  (int64_t)made.progs[i].maps_count);
	return NULL;
}

/* psi.<cgroup>.<there, id, or STATE.avg10, STATE.total>; the kernel cuts averages to two digits (LOAD_FRAC). */
static char *read_psi(const struct ktstr_kernel_view *view, const char *which, const char *field)
{
	const json_t *cgroup = NULL, *values;
	const char *value = strchr(field, '.');
	_cleanup_free_ char *state = ktstr_xstrndup(field, strcspn(field, "."));
	uint64_t hundredths;

	if (!made.pressures.list)
		ktstr_cgroup_pressures(view, "/ktstr", &made.pressures);
	for (size_t i = 0; i < json_array_size(made.pressures.list); i++)
		if (!strcmp(json_string_value(json_object_get(json_array_get(made.pressures.list, i), "cgroup")), which))
			cgroup = json_array_get(made.pressures.list, i);
	if (!strcmp(field, "there"))
		return text_of(cgroup != NULL);
	values = json_object_get(cgroup, state);
	if (!value)
		return values ? text_of(json_integer_value(values)) : NULL;
	if (!values)
		return NULL;
	if (!strcmp(value, ".total"))
		return text_of(json_integer_value(json_object_get(values, "total_us")));
	hundredths = (uint64_t)(json_real_value(json_object_get(values, "avg10_pct")) * 100);
	return ktstr_xasprintf("%llu.%02llu", (unsigned long long)hundredths / 100, (unsigned long long)hundredths % 100);
}

char *outside_read(const struct ktstr_kernel_view *view, const char *key)
{
	static const struct {
		const char *kind;
		char *(*read)(const struct ktstr_kernel_view *view, const char *which, const char *field);
	} kinds[] = {
		{ "cpu", read_cpu },   { "rq", read_rq },	  { "softirq", read_softirq }, { "numa", read_numa },
		{ "task", read_task }, { "kernel", read_kernel }, { "btf", read_btf },	       { "map", read_map },
		{ "prog", read_prog }, { "symbol", read_symbol }, { "psi", read_psi },
	};
	_cleanup_free_ char *copy = ktstr_xstrdup(key);
	char *rest = copy, *kind = strsep(&rest, "."), *which = strsep(&rest, ".");

	for (size_t i = 0; which && rest && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kind, kinds[i].kind))
			return kinds[i].read(view, which, rest);
	return NULL;
}

void outside_readings_parse(const char *text, struct outside_readings *readings)
{
	while (*text) {
		size_t length = strcspn(text, "\n"), key = strcspn(text, " \n");

		if (key < length && memchr(text, '.', key)) {
			readings->items = ktstr_xrealloc(readings->items, (readings->count + 1) * sizeof(*readings->items));
			readings->items[readings->count++] = (struct outside_reading){
				ktstr_xstrndup(text, key), ktstr_xstrndup(text + key + 1, length - key - 1)
			};
		}
		text += length + (text[length] == '\n');
	}
}

void outside_readings_deinit(struct outside_readings *readings)
{
	for (size_t i = 0; i < readings->count; i++) {
		free(readings->items[i].key);
		free(readings->items[i].value);
	}
	free(readings->items);
}
