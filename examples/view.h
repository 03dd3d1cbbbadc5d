/* SPDX-License-Identifier: MIT-0 */
#ifndef VIEW_H
#define VIEW_H

#include <mlx5lm/mlx5lm.h>
#include <stdbool.h>

/* How the progress of a session is shown: as JSON, drawn on a terminal, or one line an event. */
struct view {
	bool json;
	bool terminal;
	bool drawn; /* lines stand there that the next ones replace */
};

/* A mlx5lm_session_fn; userdata is a struct view. */
int view_show(const struct mlx5lm_progress *progress, void *userdata);

/* Says something on stderr, below what is drawn. */
void view_say(struct view *view, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Leaves what is drawn as it is. */
void view_end(struct view *view);

#endif
