/* Progress of a training run, to people or as JSON, and its curves as a picture. */
#include "training_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chart.h"
#include "console.h"
#include "json.h"
#include "system.h"

static int add_point(training_points *target, double x, double y)
{
    if (target->count == target->room) {
        size_t room = target->room * 2 + 64;
        double *xs = realloc(target->x, room * sizeof *xs), *ys;

        if (xs == NULL) return fail("out of memory");
        target->x = xs;
        ys = realloc(target->y, room * sizeof *ys);
        if (ys == NULL) return fail("out of memory");
        target->y = ys;
        target->room = room;
    }
    target->x[target->count] = x;
    target->y[target->count++] = y;
    return OUTCOME_OK;
}

static double seconds(const training *self)
{
    return system_clock() - self->began;
}

int training_tell_progress(training *self)
{
    double loss = self->interval_loss / self->interval_weight, spent = seconds(self);
    double updates = (double)(self->epoch_updates * self->epochs);
    double left = spent * (updates / (double)self->update - 1);
    char line[160], time[CONSOLE_NUMBER_SIZE];

    self->interval_loss = self->interval_weight = 0;
    self->told = system_clock();
    if (self->json) {
        json_begin("progress");
        json_integer("update", self->update);
        json_integer("updates", (int64_t)updates);
        json_integer("epoch", self->epoch);
        json_number("loss", loss);
        json_number("seconds", spent);
        json_number("seconds_left", left);
        json_end();
        return add_point(&self->train_curve, (double)self->update, loss);
    }
    snprintf(line, sizeof line, "%3d%% epoch %" PRId64 "/%" PRId64 " loss %.3f %s left",
        (int)(100 * (double)self->update / updates), self->epoch, self->epochs, loss,
        console_duration(left, time));
    if (console_is_terminal())
        console_rewrite(line);
    else
        console_line("%s", line);
    return add_point(&self->train_curve, (double)self->update, loss);
}

static int plot(const training *self)
{
    const training_points *train = &self->train_curve, *valid = &self->valid_curve;
    char y_name[80];
    chart_line lines[2] = {{"training", "#1f77b4", train->x, train->y, train->count, 0, 0},
        {"validation", "#d62728", valid->x, valid->y, valid->count, 1, 0}};
    chart drawing = {.title = "Training and validation loss",
        .x_name = "updates",
        .y_name = y_name,
        .x_most = (double)(self->epoch_updates * self->epochs),
        .lines = lines,
        .count = 2};

    snprintf(y_name, sizeof y_name, "loss (%s)", self->unit);
    return chart_write(self->plot, &drawing);
}

static void tell_figure(const training *self, const training_result *valid)
{
    if (self->figure_key == NULL) return;
    char key[64];

    snprintf(key, sizeof key, "valid_%s", self->figure_key);
    json_number(key, valid->figure);
}

/* ", exact captions 0.9876", or nothing. */
static const char *figure_text(
    const training *self, const training_result *valid, char *buffer, size_t size)
{
    buffer[0] = '\0';
    if (self->figure_words != NULL)
        snprintf(buffer, size, ", %s %.4f", self->figure_words, valid->figure);
    return buffer;
}

int training_tell_epoch(training *self, const training_result *valid, int best)
{
    double loss = self->epoch_loss / self->epoch_weight;
    char time[CONSOLE_NUMBER_SIZE], figure[80];

    /* An epoch that was too short for progress still has a point. */
    if (add_point(&self->valid_curve, (double)self->update, valid->loss) != OUTCOME_OK ||
        (self->interval_weight > 0 &&
            add_point(&self->train_curve, (double)self->update,
                self->interval_loss / self->interval_weight) != OUTCOME_OK))
        return OUTCOME_FAILED;
    self->interval_loss = self->interval_weight = 0;
    if (self->json) {
        json_begin("epoch");
        json_integer("epoch", self->epoch);
        json_integer("epochs", self->epochs);
        json_number("train_loss", loss);
        json_number("valid_loss", valid->loss);
        tell_figure(self, valid);
        json_flag("best", best);
        json_number("seconds", seconds(self));
        json_end();
    } else {
        console_line("epoch %" PRId64 "/%" PRId64
                     ": training loss %.4f, validation loss %.4f%s%s, %s",
            self->epoch, self->epochs, loss, valid->loss,
            figure_text(self, valid, figure, sizeof figure), best ? " (best)" : "",
            console_duration(seconds(self), time));
    }
    return self->plot[0] != '\0' ? plot(self) : OUTCOME_OK;
}

int training_tell_done(training *self)
{
    char *command, time[CONSOLE_NUMBER_SIZE], figure[80];

    self->parsed->given[arguments_find(self->parsed, "seed")] = 1;
    self->parsed->given[arguments_find(self->parsed, "threads")] = 1;
    command = arguments_command(self->parsed);
    if (command == NULL) return fail("out of memory");
    if (self->json) {
        json_begin("done");
        json_number("valid_loss", self->best.loss);
        tell_figure(self, &self->best);
        json_integer("epoch", self->best_epoch);
        json_integer("updates", self->update);
        json_number("seconds", seconds(self));
        json_integer("seed", self->seed);
        json_text("model", self->model);
        json_text("command", command);
        json_end();
    } else {
        console_line("validation loss %.4f %s%s (epoch %" PRId64 "), %s in all", self->best.loss,
            self->unit, figure_text(self, &self->best, figure, sizeof figure), self->best_epoch,
            console_duration(seconds(self), time));
        console_line("model: %s", self->model);
        console_line("to repeat: %s", command);
    }
    free(command);
    return OUTCOME_OK;
}
