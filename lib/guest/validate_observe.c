// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong with the observation that a test declares; before any VM boots. */
#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "guest/registry.h"
#include "ktstr/units.h"

enum { SNAPSHOTS_MAX = 64 };

#define SNAPSHOT_SPACING KTSTR_MS(100)

static struct ktstr_error *check_snapshots(const struct ktstr_test_entry *test, uint64_t duration_ns)
{
	uint64_t spacing = duration_ns / 10 * 8 / (test->num_snapshots + 1u);

	if (test->num_snapshots > SNAPSHOTS_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".num_snapshots is %u, at most %d", test->num_snapshots,
				       SNAPSHOTS_MAX);
	if (test->num_snapshots && spacing < SNAPSHOT_SPACING)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".num_snapshots: %u in a duration of %llu ms are %llu ms apart, at least 100: take fewer or let it run longer",
				       test->num_snapshots, (unsigned long long)(duration_ns / 1000000),
				       (unsigned long long)(spacing / 1000000));
	return NULL;
}

/* ".bss", ".data.tunables": what libbpf puts behind an object's name. */
static struct ktstr_error *check_suffix(const char *suffix, bool section)
{
	size_t length = strlen(suffix);

	if (section && (suffix[0] != '.' || length < 2 || !strcmp(suffix, "..")))
		return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" is no end of a map's name such as \".bss\"", suffix);
	if (!length)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".map_suffix is empty");
	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)suffix[i]) || suffix[i] == '/' || suffix[i] == '\\')
			return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" has a character that no map's name has", suffix);
	return NULL;
}

static struct ktstr_error *check_field(const char *field)
{
	return field && *field ? NULL : ktstr_error_new(KTSTR_ERR_INVALID, ".field is missing: a variable's name");
}

static struct ktstr_error *check_label(const struct ktstr_watch_bpf_map *watches, const struct ktstr_watch_bpf_map *watch)
{
	if (!watch->label || !*watch->label)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".label is missing: the end of the metric's name");
	if ((unsigned int)watch->agg > KTSTR_MAP_PER_CPU_COUNTER)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".agg is none of enum ktstr_bpf_map_agg");
	for (; watches < watch; watches++)
		if (!strcmp(watches->label, watch->label))
			return ktstr_error_new(KTSTR_ERR_INVALID, "label \"%s\" is given twice", watch->label);
	return NULL;
}

struct ktstr_error *ktstr_observation_validate(const struct ktstr_test_entry *test, uint64_t duration_ns)
{
	const struct ktstr_bpf_map_write *write = test->bpf_map_write;
	const struct ktstr_watch_bpf_map *watch = test->watch_bpf_maps;

	KTSTR_TRY(check_snapshots(test, duration_ns));
	if (write && !test->scheduler)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".bpf_map_write without .scheduler: EEVDF has no BPF maps");
	for (; write && write->map_suffix; write++) {
		KTSTR_TRY_WRAP(check_suffix(write->map_suffix, true), ".bpf_map_write");
		KTSTR_TRY_WRAP(check_field(write->field), ".bpf_map_write");
	}
	for (; watch && watch->map_suffix; watch++) {
		KTSTR_TRY_WRAP(check_suffix(watch->map_suffix, false), ".watch_bpf_maps");
		if (watch->map_suffix[0] == '.' || !watch->field)
			KTSTR_TRY_WRAP(check_field(watch->field), ".watch_bpf_maps");
		KTSTR_TRY_WRAP(check_label(test->watch_bpf_maps, watch), ".watch_bpf_maps");
	}
	return NULL;
}
