// SPDX-License-Identifier: GPL-2.0-only
/* Expected failures. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runner/expect.h"

/* The scheduler's log, with the dump if it prints one, and what the kernel says of sched_ext on its console. Heap. */
static char *error_words(const struct ktstr_test_result *result)
{
	struct ktstr_str words = { 0 };
	const char *line = result->console;

	ktstr_str_addf(&words, "%s\n", result->scheduler_log ? result->scheduler_log : "");
	while (line && *line) {
		size_t length = strcspn(line, "\n");
		const char *mark = strstr(line, "sched_ext: ");

		if (mark && mark < line + length)
			ktstr_str_addf(&words, "%.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
	return ktstr_str_take(&words);
}

static bool regex_matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool matches;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE))
		return false;
	matches = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return matches;
}

/* The words that are missing, for people; NULL = it failed as it should. Heap. */
static char *missing_words(const struct ktstr_expectation *expect, const struct ktstr_test_result *result)
{
	_cleanup_free_ char *words = error_words(result);

	if (expect->contains && !strstr(words, expect->contains))
		return ktstr_xasprintf("has \"%s\"", expect->contains);
	if (expect->matches && !regex_matches(expect->matches, words))
		return ktstr_xasprintf("matches \"%s\"", expect->matches);
	return NULL;
}

/* All that was found becomes a note; the verdict is empty then, which is a pass. */
static void accept_failure(struct ktstr_test_result *result)
{
	struct ktstr_assert_result *verdict = &result->verdict;

	for (size_t i = 0; i < verdict->outcomes_count; i++) {
		ktstr_assert_note(verdict, "as expected: %s", verdict->outcomes[i].detail.message);
		free(verdict->outcomes[i].detail.message);
	}
	verdict->outcomes_count = 0;
	free(ktstr_take(result->cause));
	result->expected_failure = true;
}

/* Takes cause. */
static void fail(struct ktstr_test_result *result, char *cause)
{
	ktstr_assert_record(&result->verdict, KTSTR_OUTCOME_FAIL, KTSTR_DETAIL_OTHER, "%s", cause);
	free(result->cause);
	result->cause = cause;
}

void ktstr_expect_apply(const struct ktstr_expectation *expect, struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);
	_cleanup_free_ char *missing = NULL;

	result->allow_inconclusive = expect->allow_inconclusive && !expect->failure;
	if (!expect->failure || kind == KTSTR_OUTCOME_SKIP)
		return;
	if (kind != KTSTR_OUTCOME_FAIL) {
		fail(result, ktstr_xasprintf("the run must fail (.expect_err), but it %s",
					     kind == KTSTR_OUTCOME_PASS ? "passed" : "was inconclusive"));
		return;
	}
	missing = missing_words(expect, result);
	if (missing)
		fail(result, ktstr_xasprintf("the run failed as it must, but neither the scheduler's log nor the kernel's words on it %s: %s",
					     missing, result->cause ? result->cause : "no cause"));
	else
		accept_failure(result);
}
