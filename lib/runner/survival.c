// SPDX-License-Identifier: GPL-2.0-only
/* Holds of a test that its scheduler must survive. A hold lies between the two stimulus records of its step. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "runner/survival.h"
#include "wire/stimulus.h"

/* Only the first is told: what follows may follow from it. */
static void break_hold(struct ktstr_survival *survival, const char *how, const char *text)
{
	_cleanup_str_ struct ktstr_str printable = { 0 };

	if (survival->holding && !survival->broken) {
		ktstr_str_add_printable(&printable, text, strlen(text));
		survival->broken = ktstr_xasprintf("the scheduler must survive every hold (.survives_storm), but in that of step %u %s%s%s",
						   survival->step, how, *text ? ": " : "", ktstr_str_text(&printable));
	}
	survival->confirmed = false;
}

static void take_lifecycle(struct ktstr_survival *survival, const struct ktstr_frame *frame)
{
	_cleanup_free_ char *text = NULL;

	if (!frame->length)
		return;
	text = ktstr_xstrndup((const char *)frame->payload + 1, frame->length - 1);
	switch ((enum ktstr_lifecycle)frame->payload[0]) {
	case KTSTR_LIFE_WORKLOAD_DISPATCHED:
		if (ktstr_str_starts_with(text, "enabled "))
			survival->confirmed = true;
		else
			break_hold(survival, "sched_ext was not active", text);
		break;
	case KTSTR_LIFE_SCHED_DIED:
		break_hold(survival, "its process ended", text);
		break;
	case KTSTR_LIFE_SCHED_DETACHED:
		break_hold(survival, "the kernel unloaded it", "");
		break;
	case KTSTR_LIFE_SCHED_STOPPED:
		break_hold(survival, "it was stopped", text);
		break;
	default:
		break;
	}
}

void ktstr_survival_take(struct ktstr_survival *survival, const struct ktstr_frame *frame)
{
	struct ktstr_stimulus_record record;

	if (frame->type == KTSTR_FRAME_LIFECYCLE) {
		take_lifecycle(survival, frame);
	} else if (frame->type == KTSTR_FRAME_STIMULUS &&
		   ktstr_stimulus_decode(frame->payload, frame->length, &record)) {
		survival->holding = true;
		survival->confirmed = false;
		survival->step = record.step_index;
	} else if (frame->type == KTSTR_FRAME_STEP_END) {
		survival->survived += survival->holding && survival->confirmed;
		survival->holding = false;
	}
}

void ktstr_survival_judge(const struct ktstr_survival *survival, struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result), found;
	const char *message = survival->broken;

	if (kind == KTSTR_OUTCOME_SKIP || (!message && (survival->survived || kind == KTSTR_OUTCOME_FAIL)))
		return;
	found = message ? KTSTR_OUTCOME_FAIL : KTSTR_OUTCOME_INCONCLUSIVE;
	if (!message)
		message = "the scheduler must survive every hold (.survives_storm), but no step held: nothing was survived";
	ktstr_assert_record(&result->verdict, found, message == survival->broken ? KTSTR_DETAIL_SCHEDULER_CRASHED : KTSTR_DETAIL_OTHER,
			    "%s", message);
	if (!result->cause || (found == KTSTR_OUTCOME_FAIL && kind != KTSTR_OUTCOME_FAIL)) {
		free(result->cause);
		result->cause = ktstr_xstrdup(message);
	}
}

void ktstr_survival_deinit(struct ktstr_survival *survival)
{
	free(survival->broken);
	*survival = (struct ktstr_survival){ 0 };
}
