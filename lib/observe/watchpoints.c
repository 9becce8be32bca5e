// SPDX-License-Identifier: GPL-2.0-only
/* Watchpoints of one guest, by who wants them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "observe/render.h"
#include "observe/scx_state.h"
#include "observe/watchpoints.h"
#include "vm/gdbstub.h"

enum { WATCHED_BYTES = 4 };

/* For the stub to answer while the guest stands still. */
static uint64_t deadline(void)
{
	return ktstr_now_ns() + KTSTR_SEC(30);
}

void ktstr_watchpoints_deinit(struct ktstr_watchpoints *points)
{
	for (size_t i = 0; i < points->user_count; i++)
		free(points->user[i].symbol);
	ktstr_gdb_close(points->gdb);
	*points = (struct ktstr_watchpoints){ 0 };
}

int ktstr_watchpoints_fd(const struct ktstr_watchpoints *points)
{
	return points->gdb ? ktstr_gdb_fd(points->gdb) : -1;
}

struct ktstr_error *ktstr_watchpoints_stop(struct ktstr_watchpoints *points)
{
	if (!points->gdb)
		points->gdb = ktstr_gdb_open(ktstr_vm_take_gdb_fd(points->vm));
	return ktstr_gdb_stop(points->gdb, ktstr_now_ns() + points->stop_limit_ns);
}

struct ktstr_error *ktstr_watchpoints_continue(struct ktstr_watchpoints *points)
{
	return points->gdb ? ktstr_gdb_continue(points->gdb) : NULL;
}

struct ktstr_error *ktstr_watchpoints_take_hit(struct ktstr_watchpoints *points, uint64_t *address)
{
	struct ktstr_gdb_stop stop;
	bool stopped;

	*address = 0;
	if (!points->gdb)
		return NULL;
	if (ktstr_gdb_take_missed_watch(points->gdb, &stop)) {
		*address = stop.address;
		return NULL;
	}
	KTSTR_TRY(ktstr_gdb_take_stop(points->gdb, &stopped, &stop));
	if (stopped && stop.watch)
		*address = stop.address;
	return NULL;
}

struct ktstr_error *ktstr_watchpoints_leave_scheduler(struct ktstr_watchpoints *points)
{
	uint64_t address = points->exit_kind;

	points->exit_kind = 0;
	return address ? ktstr_gdb_unwatch(points->gdb, address, WATCHED_BYTES, deadline()) : NULL;
}

struct ktstr_error *ktstr_watchpoints_follow_scheduler(struct ktstr_watchpoints *points,
						       const struct ktstr_kernel_view *view)
{
	struct ktstr_object sched = ktstr_scx_sched(view);
	uint64_t address = ktstr_member_address(&sched, "exit_kind");

	if (address == points->exit_kind)
		return NULL;
	KTSTR_TRY(ktstr_watchpoints_leave_scheduler(points));
	if (!address)
		return NULL;
	KTSTR_TRY(ktstr_gdb_watch(points->gdb, address, WATCHED_BYTES, deadline()));
	points->exit_kind = address;
	return NULL;
}

struct ktstr_error *ktstr_watch_address(const struct ktstr_kernel_view *view, const char *symbol, uint64_t *address)
{
	*address = ktstr_view_symbol(view, symbol);
	if (!*address)
		return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
				       "this kernel has no symbol %s (names are those of /proc/kallsyms)", symbol);
	if (*address % WATCHED_BYTES)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is at 0x%" PRIx64 ", which is no multiple of %d", symbol,
				       *address, WATCHED_BYTES);
	if (!(*address >> 63))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is no variable at an address of its own (per-CPU?)", symbol);
	return NULL;
}

struct ktstr_user_watch *ktstr_watchpoints_user(struct ktstr_watchpoints *points, uint64_t address)
{
	for (size_t i = 0; i < points->user_count; i++)
		if (points->user[i].address && points->user[i].address == address)
			return &points->user[i];
	return NULL;
}

struct ktstr_error *ktstr_watchpoints_add(struct ktstr_watchpoints *points, const struct ktstr_kernel_view *view,
					  const char *symbol)
{
	uint64_t address;

	for (size_t i = 0; i < points->user_count; i++)
		if (!strcmp(points->user[i].symbol, symbol))
			return NULL;
	if (points->user_count == KTSTR_MAX_WATCH_SNAPSHOTS)
		return ktstr_error_new(KTSTR_ERR_NO_SPACE, "at most %d watches in a run (KTSTR_MAX_WATCH_SNAPSHOTS)",
				       KTSTR_MAX_WATCH_SNAPSHOTS);
	KTSTR_TRY(ktstr_watch_address(view, symbol, &address));
	KTSTR_TRY(ktstr_gdb_watch(points->gdb, address, WATCHED_BYTES, deadline()));
	points->user[points->user_count++] =
		(struct ktstr_user_watch){ .symbol = ktstr_xstrdup(symbol), .address = address };
	return NULL;
}

struct ktstr_error *ktstr_watchpoints_give_up(struct ktstr_watchpoints *points, struct ktstr_user_watch *watch)
{
	uint64_t address = watch->address;

	watch->address = 0;
	return ktstr_gdb_unwatch(points->gdb, address, WATCHED_BYTES, deadline());
}

json_t *ktstr_watchpoints_registers(struct ktstr_watchpoints *points, const struct ktstr_kernel_view *view)
{
	json_t *array = json_array();

	for (unsigned int cpu = 0; cpu < view->cpus; cpu++) {
		struct ktstr_gdb_registers registers;
		_cleanup_error_ struct ktstr_error *error =
			ktstr_gdb_registers(points->gdb, cpu, deadline(), &registers);
		const struct ktstr_symbol *symbol;

		if (error) {
			json_array_append_new(array, json_null());
			continue;
		}
		symbol = ktstr_symbols_at(view->symbols, registers.instruction_pointer);
		json_array_append_new(
			array, json_pack("{so so so ss*}", "instruction_pointer",
					 ktstr_json_address(registers.instruction_pointer), "stack_pointer",
					 ktstr_json_address(registers.stack_pointer), "page_table_root",
					 ktstr_json_address(registers.page_table_root), "symbol",
					 symbol && registers.instruction_pointer >> 63 ? symbol->name : NULL));
	}
	return array;
}
