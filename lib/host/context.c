// SPDX-License-Identifier: GPL-2.0-only
/* Reads the facts of a host from /proc, /sys and libc. */
#include <ctype.h>
#include <dirent.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "host/host.h"
#include "ktstr/cpuset.h"

#define ROW(MEMBER) KTSTR_MEMBER(ktstr_host_context, MEMBER)
const struct ktstr_member ktstr_host_fields[] = {
	ROW(cpu_model),	       ROW(cpu_vendor),		ROW(total_memory_kib), ROW(hugepages_total),
	ROW(hugepages_free),   ROW(hugepages_size_kib), ROW(thp_enabled),      ROW(thp_defrag),
	ROW(online_cpus),      ROW(numa_nodes),		ROW(kernel_name),      ROW(kernel_release),
	ROW(arch),	       ROW(kernel_cmdline),
};
const size_t ktstr_host_fields_count = sizeof(ktstr_host_fields) / sizeof(ktstr_host_fields[0]);
#undef ROW

#define ROW(MEMBER) KTSTR_MEMBER(ktstr_host_heap_state, MEMBER)
const struct ktstr_member ktstr_host_heap_fields[] = {
	ROW(allocated_bytes), ROW(active_bytes), ROW(resident_bytes), ROW(mapped_bytes), ROW(narenas),
};
const size_t ktstr_host_heap_fields_count = sizeof(ktstr_host_heap_fields) / sizeof(ktstr_host_heap_fields[0]);
#undef ROW

const struct ktstr_host_map_field ktstr_host_maps[2] = {
	{ "sched_tunables", offsetof(struct ktstr_host_context, sched_tunables) },
	{ "cpufreq_governor", offsetof(struct ktstr_host_context, cpufreq_governor) },
};

void ktstr_text_map_set(struct ktstr_text_map *map, const char *name, const char *value)
{
	size_t at = 0;

	map->known = true;
	while (at < map->count && strcmp(map->items[at].name, name) < 0)
		at++;
	if (at < map->count && !strcmp(map->items[at].name, name)) {
		free(map->items[at].value);
		map->items[at].value = ktstr_xstrdup(value);
		return;
	}
	map->items = ktstr_xrealloc(map->items, (map->count + 1) * sizeof(*map->items));
	memmove(&map->items[at + 1], &map->items[at], (map->count - at) * sizeof(*map->items));
	map->items[at] = (struct ktstr_named_text){ ktstr_xstrdup(name), ktstr_xstrdup(value) };
	map->count++;
}

const char *ktstr_text_map_get(const struct ktstr_text_map *map, const char *name)
{
	for (size_t i = 0; i < map->count; i++)
		if (!strcmp(map->items[i].name, name))
			return map->items[i].value;
	return NULL;
}

static char *read_below(const char *root, const char *path)
{
	_cleanup_free_ char *full = ktstr_xasprintf("%s%s", root, path);

	return ktstr_read_line(full);
}

/* The value behind "key" and its colon in text of lines; heap, NULL when there is none. */
static char *line_value(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *value = line + length;

		if (strncmp(line, key, length))
			continue;
		value += strspn(value, " \t");
		if (*value != ':')
			continue;
		value += 1 + strspn(value + 1, " \t");
		return ktstr_xstrndup(value, strcspn(value, "\n"));
	}
	return NULL;
}

/* The number that text begins with; unset when it does not begin with one. */
static struct ktstr_opt_u64 number(const char *text)
{
	if (!text || !isdigit((unsigned char)*text))
		return (struct ktstr_opt_u64)KTSTR_NONE;
	return (struct ktstr_opt_u64)KTSTR_SOME(strtoull(text, NULL, 10));
}

static struct ktstr_opt_u64 number_of(const char *text, const char *key)
{
	_cleanup_free_ char *value = line_value(text, key);

	return number(value);
}

static void read_memory(const char *root, struct ktstr_host_context *context)
{
	_cleanup_free_ char *meminfo = read_below(root, "/proc/meminfo");

	context->total_memory_kib = number_of(meminfo, "MemTotal");
	context->hugepages_total = number_of(meminfo, "HugePages_Total");
	context->hugepages_free = number_of(meminfo, "HugePages_Free");
	context->hugepages_size_kib = number_of(meminfo, "Hugepagesize");
	context->thp_enabled = read_below(root, "/sys/kernel/mm/transparent_hugepage/enabled");
	context->thp_defrag = read_below(root, "/sys/kernel/mm/transparent_hugepage/defrag");
}

/* How many numbers a list such as "0-3,5" has. */
static struct ktstr_opt_u64 list_length(const char *text)
{
	struct ktstr_cpus set;
	_cleanup_error_ struct ktstr_error *error = text ? ktstr_cpus_parse(text, &set) : NULL;

	if (!text || error)
		return (struct ktstr_opt_u64)KTSTR_NONE;
	return (struct ktstr_opt_u64)KTSTR_SOME(ktstr_cpus_count(&set));
}

/* The fields of /proc/cpuinfo repeat for every CPU: the first is as good as any. */
static void read_cpu(const char *root, struct ktstr_host_context *context)
{
	_cleanup_free_ char *cpuinfo = read_below(root, "/proc/cpuinfo");
	_cleanup_free_ char *online = read_below(root, "/sys/devices/system/cpu/online");
	_cleanup_free_ char *nodes = read_below(root, "/sys/devices/system/node/has_cpu");

	context->cpu_model = line_value(cpuinfo, "model name");
	context->cpu_vendor = line_value(cpuinfo, "vendor_id");
	context->online_cpus = list_length(online);
	context->numa_nodes = list_length(nodes);
}

/* An entry for each name in dir that starts with prefix, with what <dir>/<name><file> says. */
static void read_map(const char *root, const char *dir, const char *prefix, const char *file,
		     struct ktstr_text_map *map)
{
	_cleanup_free_ char *path = ktstr_xasprintf("%s%s", root, dir);
	_cleanup_closedir_ DIR *entries = opendir(path);
	const struct dirent *entry;

	if (!entries)
		return;
	map->known = true;
	while ((entry = readdir(entries))) {
		_cleanup_free_ char *value_path = ktstr_xasprintf("%s/%s%s", path, entry->d_name, file);
		_cleanup_free_ char *value = NULL;

		if (!ktstr_str_starts_with(entry->d_name, prefix))
			continue;
		value = ktstr_read_line(value_path);
		if (value)
			ktstr_text_map_set(map, entry->d_name, value);
	}
}

/* glibc tells the number of its arenas only in the text of malloc_info(3): a <heap> element each. */
static struct ktstr_opt_u64 count_arenas(void)
{
	_cleanup_free_ char *text = NULL;
	uint64_t arenas = 0;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	if (!stream)
		return (struct ktstr_opt_u64)KTSTR_NONE;
	malloc_info(0, stream);
	fclose(stream);
	for (const char *at = text; (at = strstr(at, "<heap nr=")); at++)
		arenas++;
	return (struct ktstr_opt_u64)KTSTR_SOME(arenas);
}

static void read_heap(struct ktstr_host_heap_state *heap)
{
	const struct mallinfo2 info = mallinfo2();
	_cleanup_free_ char *statm = ktstr_read_line("/proc/self/statm");
	const char *resident = statm ? strchr(statm, ' ') : NULL;

	*heap = (struct ktstr_host_heap_state){
		.allocated_bytes = KTSTR_SOME(info.uordblks + info.hblkhd),
		.active_bytes = KTSTR_SOME(info.arena + info.hblkhd),
		.mapped_bytes = KTSTR_SOME(info.hblkhd),
		.narenas = count_arenas(),
		.resident_bytes = number(resident ? resident + 1 : NULL),
	};
	heap->resident_bytes.value *= (uint64_t)sysconf(_SC_PAGESIZE);
}

void ktstr_host_context_collect_at(const char *root, struct ktstr_host_context *context)
{
	struct utsname names;

	*context = (struct ktstr_host_context){ 0 };
	read_cpu(root, context);
	read_memory(root, context);
	read_map(root, "/proc/sys/kernel", "sched_", "", &context->sched_tunables);
	read_map(root, "/sys/devices/system/cpu", "cpu", "/cpufreq/scaling_governor", &context->cpufreq_governor);
	context->kernel_cmdline = read_below(root, "/proc/cmdline");
	if (!uname(&names)) {
		context->kernel_name = ktstr_xstrdup(names.sysname);
		context->kernel_release = ktstr_xstrdup(names.release);
		context->arch = ktstr_xstrdup(names.machine);
	}
	read_heap(&context->heap_state);
}

void ktstr_host_context_collect(struct ktstr_host_context *context)
{
	ktstr_host_context_collect_at("", context);
}

void ktstr_host_context_deinit(struct ktstr_host_context *context)
{
	for (size_t i = 0; i < ktstr_host_fields_count; i++)
		if (ktstr_host_fields[i].type == KTSTR_MEMBER_TEXT)
			free(*(char **)((char *)context + ktstr_host_fields[i].offset));
	for (size_t i = 0; i < sizeof(ktstr_host_maps) / sizeof(ktstr_host_maps[0]); i++) {
		struct ktstr_text_map *map = ktstr_host_map(&ktstr_host_maps[i], context);

		for (size_t k = 0; k < map->count; k++) {
			free(map->items[k].name);
			free(map->items[k].value);
		}
		free(map->items);
	}
	*context = (struct ktstr_host_context){ 0 };
}

char *ktstr_host_context_active_word(const char *menu)
{
	const char *open = menu ? strchr(menu, '[') : NULL;
	const char *close = open ? strchr(open, ']') : NULL;

	return close ? ktstr_xstrndup(open + 1, (size_t)(close - open - 1)) : NULL;
}
