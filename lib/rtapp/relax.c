// SPDX-License-Identifier: GPL-2.0-only
/*
 * rt-app's JSON made strict, so that jansson can read it: comments, trailing commas and words like True go, a key
 * without a value gets null, and a key that its object has already gets a number, as workgen does for repeated events.
 */
#include <ctype.h>
#include <string.h>

#include "rtapp/program.h"

enum { MAX_DEPTH = 64 };

struct lexer {
	const char *at;
	unsigned int line;
	struct ktstr_str out;
	size_t depth;
	/* Of every open bracket: is it an object, its keys so far, and where its last element ended. */
	struct level {
		bool object, expects_key;
		struct ktstr_strv keys;
	} levels[MAX_DEPTH];
	size_t comma; /* where `out` has a comma that may turn out to be a trailing one; SIZE_MAX = none */
};

static struct ktstr_error *fail_at(const struct lexer *lexer, const char *what)
{
	return ktstr_error_new(KTSTR_ERR_INVALID, "line %u: %s", lexer->line, what);
}

/* One character of no meaning: a newline stays one. */
static void skip_blank(struct lexer *lexer)
{
	bool newline = *lexer->at++ == '\n';

	ktstr_str_add(&lexer->out, newline ? "\n" : " ");
	lexer->line += newline;
}

/* True when a comment was skipped. */
static bool skip_comment(struct lexer *lexer)
{
	const char *end;

	if (lexer->at[0] != '/' || (lexer->at[1] != '*' && lexer->at[1] != '/'))
		return false;
	if (lexer->at[1] == '/')
		end = lexer->at + strcspn(lexer->at, "\n");
	else
		end = strstr(lexer->at + 2, "*/");
	if (!end)
		end = lexer->at + strlen(lexer->at);
	else if (lexer->at[1] == '*')
		end += 2;
	while (lexer->at < end)
		skip_blank(lexer);
	return true;
}

static void skip_space(struct lexer *lexer)
{
	while (skip_comment(lexer) || isspace((unsigned char)*lexer->at))
		if (isspace((unsigned char)*lexer->at))
			skip_blank(lexer);
}

/* The text between the quotes; at is behind them. json-c takes single quotes, too. */
static struct ktstr_error *take_string(struct lexer *lexer, struct ktstr_str *text)
{
	const char quote = *lexer->at++;

	while (*lexer->at && *lexer->at != quote && *lexer->at != '\n') {
		size_t length = *lexer->at == '\\' && lexer->at[1] ? 2 : 1;

		if (*lexer->at == '"')
			ktstr_str_add(text, "\\");
		if (length == 2 && lexer->at[1] == '\'')
			ktstr_str_add(text, "'");
		else
			ktstr_str_add_bytes(text, lexer->at, length);
		lexer->at += length;
	}
	if (*lexer->at != quote)
		return fail_at(lexer, "a string has no end");
	lexer->at++;
	return NULL;
}

/* A key that the object has is made another one: run, run#1, run#2. */
static void add_key(struct lexer *lexer, const char *key)
{
	struct level *level = &lexer->levels[lexer->depth - 1];
	_cleanup_free_ char *unique = ktstr_xstrdup(key);

	for (unsigned int n = 1; ktstr_strv_contains(&level->keys, unique); n++) {
		free(unique);
		unique = ktstr_xasprintf("%s%c%u", key, RTAPP_AGAIN, n);
	}
	ktstr_strv_add(&level->keys, unique);
	ktstr_str_addf(&lexer->out, "\"%s\"", unique);
}

static struct ktstr_error *take_key_or_text(struct lexer *lexer)
{
	_cleanup_str_ struct ktstr_str text = { 0 };
	struct level *level = lexer->depth ? &lexer->levels[lexer->depth - 1] : NULL;

	KTSTR_TRY(take_string(lexer, &text));
	if (!level || !level->expects_key) {
		ktstr_str_addf(&lexer->out, "\"%s\"", ktstr_str_text(&text));
		return NULL;
	}
	if (strchr(ktstr_str_text(&text), RTAPP_AGAIN))
		return fail_at(lexer, "a name has a '#' in it: choose another");
	add_key(lexer, ktstr_str_text(&text));
	level->expects_key = false;
	skip_space(lexer);
	if (*lexer->at == ',' || *lexer->at == '}')
		ktstr_str_add(&lexer->out, ":null");
	return NULL;
}

static struct ktstr_error *open_level(struct lexer *lexer)
{
	bool object = *lexer->at == '{';

	if (lexer->depth == MAX_DEPTH)
		return fail_at(lexer, "brackets are nested more than 64 deep");
	lexer->levels[lexer->depth++] = (struct level){ .object = object, .expects_key = object };
	return NULL;
}

static struct ktstr_error *close_level(struct lexer *lexer)
{
	bool object = *lexer->at == '}';

	if (!lexer->depth || lexer->levels[lexer->depth - 1].object != object)
		return fail_at(lexer, object ? "a '}' closes nothing" : "a ']' closes nothing");
	ktstr_strv_deinit(&lexer->levels[--lexer->depth].keys);
	if (lexer->comma != SIZE_MAX)
		lexer->out.data[lexer->comma] = ' ';
	return NULL;
}

static struct ktstr_error *take_token(struct lexer *lexer)
{
	char c = *lexer->at;

	if (c == '"' || c == '\'') {
		lexer->comma = SIZE_MAX;
		return take_key_or_text(lexer);
	}
	if (c == '{' || c == '[')
		KTSTR_TRY(open_level(lexer));
	if (c == '}' || c == ']')
		KTSTR_TRY(close_level(lexer));
	lexer->comma = c == ',' ? lexer->out.length : SIZE_MAX;
	if (c == ',' && lexer->depth)
		lexer->levels[lexer->depth - 1].expects_key = lexer->levels[lexer->depth - 1].object;
	c = (char)tolower((unsigned char)c);
	ktstr_str_add_bytes(&lexer->out, &c, 1);
	lexer->at++;
	return NULL;
}

struct ktstr_error *rtapp_strict_json(const char *text, char **json)
{
	struct lexer lexer = { .at = text, .line = 1, .comma = SIZE_MAX };
	struct ktstr_error *error = NULL;

	for (skip_space(&lexer); *lexer.at && !error; skip_space(&lexer))
		error = take_token(&lexer);
	while (lexer.depth)
		ktstr_strv_deinit(&lexer.levels[--lexer.depth].keys);
	*json = ktstr_str_take(&lexer.out);
	if (error)
		free(ktstr_take(*json));
	return error;
}
