// SPDX-License-Identifier: GPL-2.0-only
/* JUnit XML: valid against the schema that importers agree on, whatever a guest said. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include "base/file.h"
#include "result/junit.h"
#include "result_fixture.h"
#include "unit.h"

static void add(struct ktstr_junit *junit, struct ktstr_test_result result)
{
	ktstr_junit_add(junit, &result);
	ktstr_test_result_deinit(&result);
}

static struct ktstr_test_result with_outcome(enum ktstr_outcome_kind kind, const char *text)
{
	struct ktstr_test_result result = fixture_pass();

	ktstr_assert_record(&result.verdict, kind, KTSTR_DETAIL_OTHER, "%s", text);
	return result;
}

static char *write_and_read(const struct ktstr_junit *junit, size_t missing)
{
	char path[] = "/tmp/ktstr-junit-XXXXXX";
	int fd = mkstemp(path);
	char *text;

	assert_true(fd >= 0);
	close(fd);
	assert_null(ktstr_junit_write(junit, path, missing));
	assert_null(ktstr_read_file(path, &text, NULL));
	unlink(path);
	return text;
}

static void assert_valid(const char *text)
{
	const char *source = getenv("KTSTR_TEST_SOURCE");
	_cleanup_free_ char *path = ktstr_xasprintf("%s/tests/unit/junit.xsd", source ? source : ".");
	xmlSchemaParserCtxt *parser = xmlSchemaNewParserCtxt(path);
	xmlSchema *schema = xmlSchemaParse(parser);
	xmlDoc *document = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, 0);
	xmlSchemaValidCtxt *validator;

	assert_non_null(schema);
	assert_non_null(document);
	validator = xmlSchemaNewValidCtxt(schema);
	assert_int_equal(xmlSchemaValidateDoc(validator, document), 0);
	xmlSchemaFreeValidCtxt(validator);
	xmlFreeDoc(document);
	xmlSchemaFree(schema);
	xmlSchemaFreeParserCtxt(parser);
}

static void every_kind_is_valid(void **state)
{
	struct ktstr_junit *junit = ktstr_junit_create();
	struct ktstr_test_result other = fixture_pass();
	_cleanup_free_ char *text = NULL;

	(void)state;
	add(junit, fixture_pass());
	add(junit, with_outcome(KTSTR_OUTCOME_SKIP, "needs 2 LLCs"));
	add(junit, with_outcome(KTSTR_OUTCOME_INCONCLUSIVE, "0 iterations"));
	add(junit, with_outcome(KTSTR_OUTCOME_FAIL, "spread 40% > 35%"));
	fixture_set(&other.scheduler, "eevdf");
	other.deterministic = true;
	other.seed = 7;
	add(junit, other);
	text = write_and_read(junit, 0);
	ktstr_junit_destroy(junit);
	assert_valid(text);
	assert_non_null(strstr(text, "<testsuites name=\"ktstr\" tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"1\""));
	assert_non_null(strstr(text, "<testsuite name=\"scx_simple on 7.3\" tests=\"4\""));
	assert_non_null(strstr(text, "<testsuite name=\"eevdf on 7.3\" tests=\"1\""));
	assert_non_null(strstr(text, "name=\"steady [1n2l2c1t seed 7]\""));
	assert_non_null(strstr(text, "<failure message=\"spread 40% &gt; 35%\" type=\"fail\">"));
}

static void words_of_a_guest_cannot_break_it(void **state)
{
	struct ktstr_junit *junit = ktstr_junit_create();
	_cleanup_free_ char *text = NULL;

	(void)state;
	add(junit, with_outcome(KTSTR_OUTCOME_FAIL, "]]></failure>\x01\x1b[31m \"quoted\" & \xff\xfe <b>"));
	text = write_and_read(junit, 0);
	ktstr_junit_destroy(junit);
	assert_valid(text);
	assert_null(strchr(text, '\x1b'));
}

static void what_did_not_run_is_an_error(void **state)
{
	struct ktstr_junit *junit = ktstr_junit_create();
	_cleanup_free_ char *text = NULL;

	(void)state;
	add(junit, fixture_pass());
	text = write_and_read(junit, 3);
	ktstr_junit_destroy(junit);
	assert_valid(text);
	assert_non_null(strstr(text, "3 planned tests have no result"));
	assert_non_null(strstr(text, "tests=\"2\" failures=\"0\" errors=\"1\""));
}

static void an_empty_run_is_valid(void **state)
{
	struct ktstr_junit *junit = ktstr_junit_create();
	_cleanup_free_ char *text = write_and_read(junit, 0);

	(void)state;
	ktstr_junit_destroy(junit);
	assert_valid(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_valid),
		cmocka_unit_test(words_of_a_guest_cannot_break_it),
		cmocka_unit_test(what_did_not_run_is_an_error),
		cmocka_unit_test(an_empty_run_is_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
