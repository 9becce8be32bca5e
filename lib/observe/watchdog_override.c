// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel/sched/ext.c: a worker looks for tasks that waited too long, every half of the time limit, and leaves the time of
 * its visit in scx_watchdog_timestamp; scx_tick() calls it a stall when that is older than the limit. The limit is
 * scx_sched.watchdog_timeout from 7.1 on, a static variable before.
 */
#include "observe/scx_state.h"
#include "observe/watchdog_override.h"

enum { FORGE_FACTOR = 6, FORGE_MARGIN_S = 1 };

static uint64_t timeout_address(const struct ktstr_kernel_view *view, const struct ktstr_object *sched)
{
	uint64_t member = ktstr_member_address(sched, "watchdog_timeout");

	return member ? member : ktstr_view_symbol(view, "scx_watchdog_timeout");
}

static void put(const struct ktstr_kernel_view *view, uint64_t address, uint64_t value)
{
	if (address && !ktstr_write(&view->space, address, &value, sizeof(value)))
		return; /* a scheduler that has just gone */
}

uint64_t ktstr_watchdog_override_jiffies(const struct ktstr_watchdog_override *override, uint64_t own)
{
	uint64_t timeout = override->timeout_ns ? override->timeout_ns : KTSTR_WATCHDOG_DEFAULT_NS;
	uint64_t wanted = timeout * override->hz / UINT64_C(1000000000);

	if (override->timeout_ns)
		return wanted;
	return (own && own < wanted ? own : wanted) * (override->vcpus_per_cpu ? override->vcpus_per_cpu : 1);
}

static void begin(struct ktstr_watchdog_override *override, const struct ktstr_kernel_view *view, uint64_t sched,
		  uint64_t address)
{
	uint64_t own = 0, armed;

	ktstr_read_uint(&view->space, address, 8, &own);
	override->sched = sched;
	override->wanted_jiffies = ktstr_watchdog_override_jiffies(override, own);
	/* The worker is armed for half of the old limit: until it has come once, we answer for it. */
	armed = own && own <= FORGE_FACTOR * override->wanted_jiffies ? own : FORGE_FACTOR * override->wanted_jiffies;
	override->forging = own != override->wanted_jiffies;
	override->forged_stamp = 0;
	override->forge_until = ktstr_view_jiffies(view) + armed + FORGE_MARGIN_S * override->hz;
}

/* Ends for good when the worker has been there, or had time enough to: what does not come then is a real stall. */
static void forge_visit(struct ktstr_watchdog_override *override, const struct ktstr_kernel_view *view)
{
	uint64_t address = ktstr_view_symbol(view, "scx_watchdog_timestamp"), now = ktstr_view_jiffies(view), stamp;

	if (!override->forging || !address || !ktstr_read_uint(&view->space, address, 8, &stamp))
		return;
	if ((override->forged_stamp && stamp != override->forged_stamp) || now > override->forge_until) {
		override->forging = false;
		return;
	}
	put(view, address, now);
	override->forged_stamp = now;
}

void ktstr_watchdog_override_tick(struct ktstr_watchdog_override *override, const struct ktstr_kernel_view *view)
{
	struct ktstr_object sched = ktstr_scx_sched(view);
	uint64_t address = sched.address ? timeout_address(view, &sched) : 0;

	if (!sched.address) {
		override->sched = 0;
		return;
	}
	if (!address || !override->hz) {
		override->unavailable = address ? "CONFIG_HZ of the kernel is not known" :
						  "the kernel has neither scx_sched.watchdog_timeout nor scx_watchdog_timeout";
		return;
	}
	if (override->sched != sched.address)
		begin(override, view, sched.address, address);
	forge_visit(override, view);
	put(view, address, override->wanted_jiffies);
	put(view, ktstr_view_symbol(view, "scx_watchdog_interval"), override->wanted_jiffies / 2);
	if (override->written)
		return;
	override->written = ktstr_read_uint(&view->space, address, 8, &override->observed_jiffies);
	override->expected_jiffies = override->wanted_jiffies;
}
