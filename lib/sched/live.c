// SPDX-License-Identifier: GPL-2.0-only
/* Asks the agent, whose children the schedulers are, to start and end them; and keeps BPF maps alive. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "guest/job.h"
#include "ktstr/scenario.h"
#include "ktstr/units.h"
#include "sched/bpf_map_pin.h"
#include "sched/live.h"
#include "wire/program.h"

/* Longer than the agent's own limits together: its error says more than ours. */
#define REQUEST_TIMEOUT KTSTR_SEC(180)

struct ktstr_live_schedulers {
	const char *boot_label;
	struct pin {
		char *name;
		int fd;
	} *pins;
	size_t pins_count;
};

struct ktstr_live_schedulers *ktstr_live_schedulers_create(const char *boot_label)
{
	struct ktstr_live_schedulers *live = ktstr_xcalloc(1, sizeof(*live));

	live->boot_label = boot_label;
	return live;
}

void ktstr_live_unpin_all(struct ktstr_live_schedulers *live)
{
	for (size_t i = 0; i < live->pins_count; i++) {
		close(live->pins[i].fd);
		free(live->pins[i].name);
	}
	free(live->pins);
	live->pins = NULL;
	live->pins_count = 0;
}

void ktstr_live_schedulers_destroy(struct ktstr_live_schedulers *live)
{
	if (!live)
		return;
	ktstr_live_unpin_all(live);
	free(live);
}

/* The pid that the agent answers with; 0 for a scheduler without a process, and for none. */
static struct ktstr_error *take_pid(const struct ktstr_str *reply, int *pid)
{
	json_error_t parse_error;
	json_t *json = json_loadb(ktstr_str_text(reply), reply->length, 0, &parse_error);
	json_int_t value = json_integer_value(json_object_get(json, KTSTR_SCHED_REPLY_PID));
	bool sound = json_is_object(json) && value >= 0 && value <= INT32_MAX;

	json_decref(json);
	if (!sound)
		return ktstr_error_new(KTSTR_ERR_CORRUPT, "the agent's answer cannot be read");
	*pid = (int)value;
	return NULL;
}

static struct ktstr_error *request(const char *op, const char *scheduler, int *pid)
{
	json_t *question = json_pack("{ss ss*}", KTSTR_SCHED_REQUEST_OP, op, KTSTR_SCHED_REQUEST_NAME, scheduler);
	_cleanup_free_ char *text = json_dumps(question, JSON_COMPACT);
	_cleanup_str_ struct ktstr_str reply = { 0 };

	json_decref(question);
	if (!text)
		return ktstr_error_new(KTSTR_ERR_INVALID, "the scheduler's name is not UTF-8");
	KTSTR_TRY(ktstr_wire_request(KTSTR_FRAME_SCHED_REQUEST, text, strlen(text), KTSTR_FRAME_SCHED_REPLY,
				     REQUEST_TIMEOUT, &reply));
	return take_pid(&reply, pid);
}

/*
 * label: what is attached afterwards. A refusal has changed nothing; any other failure has left no scheduler, whatever
 * was to be attached.
 */
static struct ktstr_error *change(struct ktstr_ctx *ctx, const char *op, const char *staged, const char *label)
{
	struct ktstr_error *error;
	int pid = 0;

	if (!ctx->live)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "%s scheduler%s%s: only a test body in a guest can do that", op,
				       staged ? " " : "", staged ? staged : "");
	error = request(op, staged, &pid);
	if (!error || ktstr_error_code(error) == KTSTR_ERR_GUEST || ktstr_error_code(error) == KTSTR_ERR_TIMEOUT) {
		ctx->sched_pid = pid;
		ctx->scheduler = error ? KTSTR_SCHED_EEVDF.name : label;
	}
	return error ? ktstr_error_wrap(error, "%s scheduler%s%s", op, staged ? " " : "", staged ? staged : "") : NULL;
}

struct ktstr_error *ktstr_live_attach(struct ktstr_ctx *ctx, const struct ktstr_scheduler *scheduler)
{
	return change(ctx, KTSTR_SCHED_OP_ATTACH, scheduler->name, scheduler->name);
}

struct ktstr_error *ktstr_live_detach(struct ktstr_ctx *ctx)
{
	return change(ctx, KTSTR_SCHED_OP_DETACH, NULL, KTSTR_SCHED_EEVDF.name);
}

struct ktstr_error *ktstr_live_restart(struct ktstr_ctx *ctx)
{
	return change(ctx, KTSTR_SCHED_OP_RESTART, NULL, ctx->live ? ctx->live->boot_label : NULL);
}

struct ktstr_error *ktstr_live_replace(struct ktstr_ctx *ctx, const struct ktstr_scheduler *scheduler)
{
	return change(ctx, KTSTR_SCHED_OP_REPLACE, scheduler->name, scheduler->name);
}

static struct ktstr_error *pin(struct ktstr_live_schedulers *live, const char *name)
{
	int fd;

	if (!*name || strlen(name) > KTSTR_BPF_NAME_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID, "the kernel's names of BPF maps have 1 to %d characters",
				       KTSTR_BPF_NAME_MAX);
	for (size_t i = 0; i < live->pins_count; i++)
		if (!strcmp(live->pins[i].name, name))
			return NULL;
	KTSTR_TRY(ktstr_bpf_map_open(name, &fd));
	live->pins = ktstr_xrealloc(live->pins, (live->pins_count + 1) * sizeof(*live->pins));
	live->pins[live->pins_count++] = (struct pin){ ktstr_xstrdup(name), fd };
	return NULL;
}

struct ktstr_error *ktstr_live_pin_bpf_map(struct ktstr_ctx *ctx, const char *name)
{
	if (!ctx->live)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "pin BPF map %s: only a test body in a guest can do that", name);
	KTSTR_TRY_WRAP(pin(ctx->live, name), "pin BPF map %s", name);
	return NULL;
}
