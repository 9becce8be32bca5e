// SPDX-License-Identifier: GPL-2.0-only
/* JUnit XML; the common schema of CI systems, as their importers read it. */
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "result/internal.h"
#include "result/junit.h"
#include "result/printer.h"

struct junit_case {
	char *suite, *name, *classname;
	char *message, *report, *sidecar; /* NULL = none */
	enum ktstr_outcome_kind kind;
	uint64_t duration_ns;
	int64_t started_unix_seconds;
};

struct ktstr_junit {
	struct junit_case *cases;
	size_t count;
};

struct ktstr_junit *ktstr_junit_create(void)
{
	return ktstr_xcalloc(1, sizeof(struct ktstr_junit));
}

void ktstr_junit_destroy(struct ktstr_junit *junit)
{
	if (!junit)
		return;
	for (size_t i = 0; i < junit->count; i++) {
		struct junit_case *c = &junit->cases[i];

		free(c->suite);
		free(c->name);
		free(c->classname);
		free(c->message);
		free(c->report);
		free(c->sidecar);
	}
	free(junit->cases);
	free(junit);
}

static char *printable(const char *text)
{
	struct ktstr_str line = { 0 };

	ktstr_add_line(&line, text);
	return ktstr_str_take(&line);
}

/* "steady [1n2l4c1t]", "steady [1n2l4c1t seed 7]": a name is one test's, whatever machine it ran on. */
static char *case_name(const struct ktstr_test_result *result)
{
	_cleanup_free_ char *name = printable(ktstr_display_name(result->full_name ?: result->test_name ?: "?"));
	_cleanup_free_ char *topology = printable(result->topology ?: "-");

	if (!result->deterministic)
		return ktstr_xasprintf("%s [%s]", name, topology);
	return ktstr_xasprintf("%s [%s seed %llu]", name, topology, (unsigned long long)result->seed);
}

static char *suite_name(const struct ktstr_test_result *result)
{
	_cleanup_free_ char *scheduler = printable(result->scheduler ?: "-");
	_cleanup_free_ char *kernel = printable(result->kernel_version ?: "unknown");

	return ktstr_xasprintf("%s on %s", scheduler, kernel);
}

void ktstr_junit_add(struct ktstr_junit *junit, const struct ktstr_test_result *result)
{
	enum ktstr_outcome_kind kind = ktstr_test_result_kind(result);
	struct junit_case *c;

	junit->cases = ktstr_xrealloc(junit->cases, (junit->count + 1) * sizeof(*junit->cases));
	c = &junit->cases[junit->count++];
	*c = (struct junit_case){
		.suite = suite_name(result),
		.name = case_name(result),
		.classname = printable(result->scheduler ?: "-"),
		.kind = kind,
		.duration_ns = result->duration_ns,
		.started_unix_seconds = result->started_unix_seconds,
		.sidecar = result->sidecar_path ? printable(result->sidecar_path) : NULL,
	};
	if (kind != KTSTR_OUTCOME_PASS)
		c->message = ktstr_result_cause_line(result);
	if (kind == KTSTR_OUTCOME_FAIL || kind == KTSTR_OUTCOME_INCONCLUSIVE)
		c->report = ktstr_result_report(result, false);
}

static void attribute(xmlTextWriter *writer, const char *name, const char *value)
{
	xmlTextWriterWriteAttribute(writer, BAD_CAST name, BAD_CAST value);
}

static void attribute_count(xmlTextWriter *writer, const char *name, size_t value)
{
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST name, "%zu", value);
}

static void attribute_seconds(xmlTextWriter *writer, uint64_t duration_ns)
{
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "time", "%.3f", (double)duration_ns / 1e9);
}

struct totals {
	size_t tests, by_kind[KTSTR_OUTCOME_FAIL + 1];
	uint64_t duration_ns;
	int64_t began;
};

/* suite NULL = all. */
static struct totals count(const struct ktstr_junit *junit, const char *suite)
{
	struct totals totals = { 0 };

	for (size_t i = 0; i < junit->count; i++) {
		const struct junit_case *c = &junit->cases[i];

		if (suite && strcmp(c->suite, suite))
			continue;
		totals.tests++;
		totals.by_kind[c->kind]++;
		totals.duration_ns += c->duration_ns;
		if (!totals.began || c->started_unix_seconds < totals.began)
			totals.began = c->started_unix_seconds;
	}
	return totals;
}

static void write_totals(xmlTextWriter *writer, const struct totals *totals)
{
	attribute_count(writer, "tests", totals->tests);
	attribute_count(writer, "failures", totals->by_kind[KTSTR_OUTCOME_FAIL]);
	attribute_count(writer, "errors", totals->by_kind[KTSTR_OUTCOME_INCONCLUSIVE]);
	attribute_count(writer, "skipped", totals->by_kind[KTSTR_OUTCOME_SKIP]);
	attribute_seconds(writer, totals->duration_ns);
}

static void write_case(xmlTextWriter *writer, const struct junit_case *c)
{
	static const char *const elements[] = {
		[KTSTR_OUTCOME_SKIP] = "skipped", [KTSTR_OUTCOME_INCONCLUSIVE] = "error", [KTSTR_OUTCOME_FAIL] = "failure"
	};

	xmlTextWriterStartElement(writer, BAD_CAST "testcase");
	attribute(writer, "classname", c->classname);
	attribute(writer, "name", c->name);
	attribute_seconds(writer, c->duration_ns);
	if (c->kind != KTSTR_OUTCOME_PASS) {
		xmlTextWriterStartElement(writer, BAD_CAST elements[c->kind]);
		attribute(writer, "message", c->message);
		if (c->report) {
			attribute(writer, "type", ktstr_outcome_name(c->kind));
			xmlTextWriterWriteString(writer, BAD_CAST c->report);
		}
		xmlTextWriterEndElement(writer);
	}
	if (c->sidecar)
		xmlTextWriterWriteFormatElement(writer, BAD_CAST "system-out", "%s", c->sidecar);
	xmlTextWriterEndElement(writer);
}

static void write_suite(xmlTextWriter *writer, const struct ktstr_junit *junit, const char *suite)
{
	struct totals totals = count(junit, suite);
	char when[32];

	xmlTextWriterStartElement(writer, BAD_CAST "testsuite");
	attribute(writer, "name", suite);
	write_totals(writer, &totals);
	/* The schema knows no time zone. */
	ktstr_format_utc(totals.began, when);
	when[strcspn(when, "Z")] = '\0';
	attribute(writer, "timestamp", when);
	for (size_t i = 0; i < junit->count; i++)
		if (!strcmp(junit->cases[i].suite, suite))
			write_case(writer, &junit->cases[i]);
	xmlTextWriterEndElement(writer);
}

static bool seen_before(const struct ktstr_junit *junit, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(junit->cases[k].suite, junit->cases[i].suite))
			return true;
	return false;
}

/* A run that was cut short must not look like one in which everything was tested. */
static void write_missing(xmlTextWriter *writer, size_t missing)
{
	xmlTextWriterStartElement(writer, BAD_CAST "testsuite");
	attribute(writer, "name", "not run");
	write_totals(writer, &(struct totals){ .tests = 1, .by_kind[KTSTR_OUTCOME_INCONCLUSIVE] = 1 });
	xmlTextWriterStartElement(writer, BAD_CAST "testcase");
	attribute(writer, "classname", "ktstr");
	attribute(writer, "name", "all planned tests ran");
	attribute_seconds(writer, 0);
	xmlTextWriterStartElement(writer, BAD_CAST "error");
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "message", "%zu planned tests have no result", missing);
	attribute(writer, "type", "not_run");
	xmlTextWriterEndElement(writer);
	xmlTextWriterEndElement(writer);
	xmlTextWriterEndElement(writer);
}

static void write_document(xmlTextWriter *writer, const struct ktstr_junit *junit, size_t missing)
{
	struct totals totals = count(junit, NULL);

	if (missing) {
		totals.tests++;
		totals.by_kind[KTSTR_OUTCOME_INCONCLUSIVE]++;
	}
	xmlTextWriterSetIndent(writer, 1);
	xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
	xmlTextWriterStartElement(writer, BAD_CAST "testsuites");
	attribute(writer, "name", "ktstr");
	write_totals(writer, &totals);
	for (size_t i = 0; i < junit->count; i++)
		if (!seen_before(junit, i))
			write_suite(writer, junit, junit->cases[i].suite);
	if (missing)
		write_missing(writer, missing);
	xmlTextWriterEndDocument(writer);
}

struct ktstr_error *ktstr_junit_write(const struct ktstr_junit *junit, const char *path, size_t missing)
{
	xmlBuffer *buffer = xmlBufferCreate();
	xmlTextWriter *writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	struct ktstr_error *error;

	if (!writer) {
		xmlBufferFree(buffer);
		return ktstr_error_new(KTSTR_ERR_NO_MEMORY, "cannot write %s", path);
	}
	write_document(writer, junit, missing);
	xmlFreeTextWriter(writer);
	error = ktstr_write_file_atomic(path, xmlBufferContent(buffer), (size_t)xmlBufferLength(buffer));
	xmlBufferFree(buffer);
	return error;
}
