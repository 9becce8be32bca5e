// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watching thread. It owns the view and the gdb stub; the thread that started it only pokes it (an eventfd) and
 * joins it in the end.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "ktstr/units.h"
#include "observe/dump.h"
#include "observe/observer.h"
#include "observe/render.h"
#include "observe/scx_state.h"
#include "observe/vm_view.h"
#include "vm/gdbstub.h"

#define STUB_LIMIT KTSTR_SEC(30) /* for all CPUs to stop; for an answer of the stub */
#define DUMP_LIMIT KTSTR_SEC(10) /* after which the rest of a dump is left out */

enum { EXIT_KIND_BYTES = 4 };

struct ktstr_observer {
	struct ktstr_vm *vm;
	const char *vmlinux_path;
	pthread_t thread;
	int poke_fd; /* eventfd */
	_Atomic bool quit, attached;

	struct ktstr_kernel_view *view;
	struct ktstr_gdb *gdb;
	uint64_t watched; /* address of exit_kind, 0 = not watched */
	struct ktstr_sightings sightings;
};

static uint64_t stub_deadline(void)
{
	return ktstr_now_ns() + STUB_LIMIT;
}

static json_t *read_registers(struct ktstr_observer *observer)
{
	json_t *array = json_array();

	for (unsigned int cpu = 0; cpu < observer->view->cpus; cpu++) {
		struct ktstr_gdb_registers registers;
		_cleanup_error_ struct ktstr_error *error =
			ktstr_gdb_registers(observer->gdb, cpu, stub_deadline(), &registers);
		const struct ktstr_symbol *symbol;

		if (error) {
			json_array_append_new(array, json_null());
			continue;
		}
		symbol = ktstr_symbols_at(observer->view->symbols, registers.instruction_pointer);
		json_array_append_new(
			array, json_pack("{so so so ss*}", "instruction_pointer",
					 ktstr_json_address(registers.instruction_pointer), "stack_pointer",
					 ktstr_json_address(registers.stack_pointer), "page_table_root",
					 ktstr_json_address(registers.page_table_root), "symbol",
					 symbol && registers.instruction_pointer >> 63 ? symbol->name : NULL));
	}
	return array;
}

static void take_dump(struct ktstr_observer *observer)
{
	json_t *registers = read_registers(observer);
	struct ktstr_dump_options options = { registers, ktstr_now_ns() + DUMP_LIMIT };

	ktstr_guest_freeze(observer->view->memory, true);
	json_decref(observer->sightings.failure_dump);
	observer->sightings.failure_dump = ktstr_dump(observer->view, &options);
	ktstr_guest_freeze(observer->view->memory, false);
	json_decref(registers);
}

static struct ktstr_error *disarm(struct ktstr_observer *observer)
{
	uint64_t address = observer->watched;

	observer->watched = 0;
	return address ? ktstr_gdb_unwatch(observer->gdb, address, EXIT_KIND_BYTES, stub_deadline()) : NULL;
}

/* With the guest stopped: watches the scheduler that is attached now, if there is one. */
static struct ktstr_error *arm(struct ktstr_observer *observer)
{
	struct ktstr_object sched = ktstr_scx_sched(observer->view);
	uint64_t address = ktstr_member_address(&sched, "exit_kind");

	if (address == observer->watched)
		return NULL;
	KTSTR_TRY(disarm(observer));
	if (!address)
		return NULL;
	KTSTR_TRY(ktstr_gdb_watch(observer->gdb, address, EXIT_KIND_BYTES, stub_deadline()));
	observer->watched = address;
	return NULL;
}

/* Stops the guest for as long as action() takes. */
static struct ktstr_error *while_stopped(struct ktstr_observer *observer,
					 struct ktstr_error *(*action)(struct ktstr_observer *observer))
{
	uint64_t began = ktstr_now_ns();
	struct ktstr_error *error;

	if (!observer->gdb)
		KTSTR_TRY(ktstr_gdb_open(ktstr_vm_take_gdb_fd(observer->vm), stub_deadline(), &observer->gdb));
	KTSTR_TRY(ktstr_gdb_stop(observer->gdb, stub_deadline()));
	error = action(observer);
	observer->sightings.frozen_ns += ktstr_now_ns() - began;
	if (error) {
		ktstr_error_free(ktstr_gdb_continue(observer->gdb));
		return error;
	}
	return ktstr_gdb_continue(observer->gdb);
}

/*
 * The kernel has written exit_kind. Anything but an error is an exit that somebody asked for. Either way this scheduler
 * has made its exit: its memory will soon be somebody else's.
 */
static struct ktstr_error *on_watch(struct ktstr_observer *observer)
{
	struct ktstr_object sched = ktstr_scx_sched(observer->view);

	if (ktstr_get_or_zero(&sched, "exit_kind") >= KTSTR_SCX_EXIT_ERROR)
		take_dump(observer);
	return disarm(observer);
}

static struct ktstr_error *handle_stub(struct ktstr_observer *observer)
{
	struct ktstr_gdb_stop stop;
	bool stopped;

	KTSTR_TRY(ktstr_gdb_take_stop(observer->gdb, &stopped, &stop));
	return stopped ? while_stopped(observer, on_watch) : NULL;
}

static struct ktstr_error *watch(struct ktstr_observer *observer)
{
	KTSTR_TRY(ktstr_view_of_vm(observer->vm, observer->vmlinux_path, &observer->view));
	while (!observer->quit) {
		struct pollfd fds[2] = { { .fd = observer->poke_fd, .events = POLLIN }, { .events = POLLIN } };
		uint64_t pokes;

		if (atomic_exchange(&observer->attached, false))
			KTSTR_TRY(while_stopped(observer, arm));
		/* Opened by the first of them. */
		fds[1].fd = observer->gdb ? ktstr_gdb_fd(observer->gdb) : -1;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return ktstr_error_sys(errno, "cannot wait for the guest");
		if (fds[0].revents && read(observer->poke_fd, &pokes, sizeof(pokes)) < 0 && errno != EAGAIN)
			return ktstr_error_sys(errno, "cannot wait for the guest");
		if (fds[1].revents)
			KTSTR_TRY(handle_stub(observer));
	}
	return NULL;
}

static void *run(void *arg)
{
	struct ktstr_observer *observer = arg;
	_cleanup_error_ struct ktstr_error *error = watch(observer);

	/* A VM that has ended is nothing to complain about. */
	if (error && !observer->quit)
		observer->sightings.unavailable = ktstr_xstrdup(ktstr_error_message(error));
	return NULL;
}

static void poke(struct ktstr_observer *observer)
{
	uint64_t one = 1;

	if (write(observer->poke_fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes 2^64 - 2 of these */
}

struct ktstr_error *ktstr_observer_start(struct ktstr_vm *vm, const char *vmlinux_path,
					 struct ktstr_observer **observer)
{
	struct ktstr_observer *made = ktstr_xcalloc(1, sizeof(*made));
	int failure;

	made->vm = vm;
	made->vmlinux_path = vmlinux_path;
	made->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	failure = made->poke_fd < 0 ? errno : pthread_create(&made->thread, NULL, run, made);
	if (failure) {
		if (made->poke_fd >= 0)
			close(made->poke_fd);
		free(made);
		return ktstr_error_sys(failure, "cannot start watching the guest");
	}
	*observer = made;
	return NULL;
}

void ktstr_observer_scheduler_attached(struct ktstr_observer *observer)
{
	observer->attached = true;
	poke(observer);
}

void ktstr_observer_stop(struct ktstr_observer *observer, struct ktstr_sightings *sightings)
{
	*sightings = (struct ktstr_sightings){ 0 };
	if (!observer)
		return;
	observer->quit = true;
	poke(observer);
	pthread_join(observer->thread, NULL);
	*sightings = observer->sightings;
	ktstr_gdb_close(observer->gdb);
	ktstr_kernel_view_close(observer->view);
	close(observer->poke_fd);
	free(observer);
}
