// SPDX-License-Identifier: GPL-2.0-only
/* A queue between two threads. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "observe/inbox.h"

struct ktstr_error *ktstr_inbox_init(struct ktstr_inbox *inbox)
{
	inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->fd < 0)
		return ktstr_error_sys(errno, "cannot create an eventfd");
	pthread_mutex_init(&inbox->lock, NULL);
	inbox->first = NULL;
	inbox->last = &inbox->first;
	return NULL;
}

void ktstr_inbox_deinit(struct ktstr_inbox *inbox)
{
	for (struct ktstr_letter *letter = ktstr_inbox_take(inbox); letter; letter = ktstr_inbox_take(inbox))
		free(letter);
	pthread_mutex_destroy(&inbox->lock);
	close(inbox->fd);
}

void ktstr_inbox_poke(struct ktstr_inbox *inbox)
{
	uint64_t one = 1;

	if (write(inbox->fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes 2^64 - 2 of these */
}

struct ktstr_letter *ktstr_letter_of(const struct ktstr_frame *frame)
{
	struct ktstr_letter *letter = ktstr_xmalloc(sizeof(*letter) + frame->length);

	*letter = (struct ktstr_letter){ .arrived_ns = ktstr_now_ns(), .type = frame->type, .length = frame->length };
	if (frame->length)
		memcpy(letter->payload, frame->payload, frame->length);
	return letter;
}

void ktstr_inbox_put(struct ktstr_inbox *inbox, const struct ktstr_frame *frame)
{
	struct ktstr_letter *letter = ktstr_letter_of(frame);

	pthread_mutex_lock(&inbox->lock);
	*inbox->last = letter;
	inbox->last = &letter->next;
	pthread_mutex_unlock(&inbox->lock);
	ktstr_inbox_poke(inbox);
}

struct ktstr_letter *ktstr_inbox_take(struct ktstr_inbox *inbox)
{
	struct ktstr_letter *letter;
	uint64_t pokes;

	if (read(inbox->fd, &pokes, sizeof(pokes)) < 0 && errno != EAGAIN)
		return NULL;
	pthread_mutex_lock(&inbox->lock);
	letter = inbox->first;
	if (letter)
		inbox->first = letter->next;
	if (!inbox->first)
		inbox->last = &inbox->first;
	pthread_mutex_unlock(&inbox->lock);
	return letter;
}
