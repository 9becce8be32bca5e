/* SPDX-License-Identifier: GPL-2.0-only */
/* Interfaces that are to carry something. */
#ifndef KTSTR_NET_LINK_H
#define KTSTR_NET_LINK_H

#include <net/if.h>
#include <stdbool.h>

/* Brings up the interface that the request names, over any socket; the request has its flags then. errno says why not. */
bool ktstr_link_up(int fd, struct ifreq *request);

#endif
