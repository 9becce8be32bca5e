// SPDX-License-Identifier: GPL-2.0-only
/* Listening to a guest: its frames, from the port or from the mailbox's log, and its freezes. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "vm/vm_private.h"

/* The agent announces a stage: where it is to be saved QEMU finds our command as soon as the guest goes on. */
static void serve_stage(struct ktstr_vm *vm)
{
	uint32_t before = vm->announced_stage;

	vm->announced_stage = __atomic_load_n(&vm->mailbox->agent_stage, __ATOMIC_ACQUIRE);
	if (vm->save_stage && before < vm->save_stage && ktstr_vm_agent_reached(vm, vm->save_stage))
		vm->stop_failure = ktstr_qmp_send(vm->qmp, "stop", ktstr_now_ns() + KTSTR_VM_QEMU_LIMIT);
}

static void serve_freeze(struct ktstr_vm *vm, uint8_t reason)
{
	struct ktstr_mailbox *mailbox = vm->mailbox;
	uint32_t length = mailbox->freeze.request_length;
	_cleanup_free_ char *request = NULL;
	struct ktstr_vm_freeze freeze = { .reason = reason,
					  .reply = (char *)mailbox + KTSTR_MAILBOX_REPLY_OFFSET,
					  .reply_capacity = KTSTR_MAILBOX_REPLY_BYTES };

	if (vm->on_freeze) {
		freeze.request_length = length < KTSTR_MAILBOX_REQUEST_BYTES ? length : KTSTR_MAILBOX_REQUEST_BYTES;
		freeze.request = request = ktstr_xmalloc(freeze.request_length + 1);
		memcpy(request, (char *)mailbox + KTSTR_MAILBOX_REQUEST_OFFSET, freeze.request_length);
		vm->on_freeze(vm->freeze_context, vm, &freeze);
	}
	mailbox->freeze.reply_length = (uint32_t)freeze.reply_length;
}

/*
 * The kernel writes to both its ports in turn, so that the first can be closed again: one moment, which is told once. What
 * a program has asked, or is about to read, is not touched.
 */
static void serve_kernel(struct ktstr_vm *vm)
{
	struct ktstr_vm_freeze freeze = { .reason = KTSTR_FREEZE_SCHED_EXIT };

	if (!vm->kernel_before_second && vm->on_freeze)
		vm->on_freeze(vm->freeze_context, vm, &freeze);
	vm->kernel_before_second = !vm->kernel_before_second;
}

static void serve(struct ktstr_vm *vm, enum ktstr_freezer_side side)
{
	uint8_t reason;

	if (!ktstr_freezer_is_frozen(vm->freezers[side], &reason))
		return;
	if (side == KTSTR_FREEZER_OF_KERNEL)
		serve_kernel(vm);
	else if (reason == KTSTR_FREEZE_STAGE)
		serve_stage(vm);
	else
		serve_freeze(vm, reason);
	ktstr_freezer_release(vm->freezers[side]);
}

/* Waits for a deterministic guest to freeze itself, and lets it go on when that has been dealt with. */
static void wait_for_freeze(struct ktstr_vm *vm, uint64_t limit_ns)
{
	struct timespec limit = { .tv_nsec = (long)limit_ns };
	struct pollfd bells[KTSTR_FREEZERS];
	bool rings = false;
	int events;

	for (size_t i = 0; i < KTSTR_FREEZERS; i++)
		bells[i] = (struct pollfd){ .fd = ktstr_freezer_fd(vm->freezers[i]), .events = POLLIN };
	events = ppoll(bells, KTSTR_FREEZERS, &limit, NULL);
	for (size_t i = 0; events > 0 && i < KTSTR_FREEZERS; i++)
		rings |= (bells[i].revents & POLLIN) != 0;
	/* Without a QEMU at the other end there is nothing to wait for, and poll() would not. */
	if (events > 0 && !rings)
		ktstr_sleep_ns(limit_ns);
	/* A guest stands in one place. */
	serve(vm, rings && bells[KTSTR_FREEZER_OF_KERNEL].revents & POLLIN ? KTSTR_FREEZER_OF_KERNEL :
									    KTSTR_FREEZER_OF_PROGRAMS);
}

void ktstr_vm_on_freeze(struct ktstr_vm *vm, ktstr_vm_freeze_fn fn, void *context)
{
	vm->on_freeze = fn;
	vm->freeze_context = context;
}

/* Without a sound of the guest. */
void ktstr_vm_wait_a_little(struct ktstr_vm *vm)
{
	if (vm->deterministic)
		wait_for_freeze(vm, KTSTR_VM_POLL);
	else
		ktstr_sleep_ns(KTSTR_VM_POLL);
}

/* One read from the port; false at its end. */
static bool read_port(struct ktstr_vm *vm)
{
	char chunk[65536];
	ssize_t got = recv(vm->frames_fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (got > 0)
		ktstr_frame_decoder_feed(&vm->decoder, chunk, (size_t)got);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Decodes what the guest has added to the mailbox log; false when there was nothing new. */
static bool read_log(struct ktstr_vm *vm)
{
	uint64_t length = __atomic_load_n(&vm->mailbox->log_length, __ATOMIC_ACQUIRE);
	const char *log = (const char *)vm->mailbox + KTSTR_MAILBOX_LOG_OFFSET;
	uint64_t fresh;

	if (length > KTSTR_MAILBOX_LOG_BYTES || length <= vm->log_read)
		return false;
	fresh = length - vm->log_read;
	if (fresh > KTSTR_FRAME_MAX_PAYLOAD)
		fresh = KTSTR_FRAME_MAX_PAYLOAD;
	ktstr_frame_decoder_feed(&vm->decoder, log + vm->log_read, fresh);
	vm->log_read += fresh;
	return true;
}

/* Waits for bytes of either transport; false when QEMU is gone and there are none left. */
static bool wait_for_bytes(struct ktstr_vm *vm, int limit_ms)
{
	struct pollfd port = { .fd = vm->frames_fd, .events = POLLIN };

	if (vm->deterministic) {
		if (read_log(vm))
			return true;
		if (ktstr_vm_qemu_ended(vm))
			return read_log(vm);
		ktstr_vm_wait_a_little(vm);
		return true;
	}
	/* A guest that ended has its last frames still in the socket: read to the end first. */
	if (poll(&port, 1, limit_ms > 100 ? 100 : limit_ms) <= 0 || read_port(vm))
		return true;
	if (ktstr_vm_qemu_ended(vm))
		return false;
	ktstr_sleep_ns(KTSTR_VM_POLL);
	return true;
}

enum ktstr_vm_wait ktstr_vm_next_frame(struct ktstr_vm *vm, uint64_t deadline_ns,
				       struct ktstr_frame *frame)
{
	for (;;) {
		int left_ms = ktstr_ms_until(deadline_ns);

		if (ktstr_frame_decoder_next(&vm->earlier, frame) || ktstr_frame_decoder_next(&vm->decoder, frame))
			return KTSTR_VM_FRAME;
		if (ktstr_vm_console_flooded(vm))
			return KTSTR_VM_FLOODED;
		if (!left_ms)
			return KTSTR_VM_DEADLINE;
		if (!wait_for_bytes(vm, left_ms))
			return KTSTR_VM_ENDED;
	}
}

void ktstr_vm_replay_frames(struct ktstr_vm *vm, const void *bytes, size_t length)
{
	ktstr_frame_decoder_feed(&vm->earlier, bytes, length);
}

uint64_t ktstr_vm_corrupt_frames(const struct ktstr_vm *vm)
{
	return vm->decoder.corrupt_frames + vm->decoder.resyncs;
}
