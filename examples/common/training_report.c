/* Progress of a training run, to people or as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "console.h"
#include "json.h"
#include "resume.h"
#include "system.h"
#include "training_parts.h"

int training_tell_progress(training *self)
{
    training_place *place = &self->place;
    double loss = place->interval_loss / place->interval_weight,
           spent = session_seconds(&self->files);
    double left = spent * ((double)self->updates / place->update - 1);
    char line[160], time[CONSOLE_NUMBER_SIZE];

    place->interval_loss = place->interval_weight = 0;
    self->files.told = system_clock();
    if (curve_add(&self->files.train_curve, (int64_t)place->update, loss) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (self->trial != NULL) return OUTCOME_OK;
    if (self->files.json) {
        json_begin("progress");
        json_integer("update", (int64_t)place->update);
        json_integer("updates", self->updates);
        json_integer("epoch", (int64_t)place->epoch);
        json_number("loss", loss);
        json_number("seconds", spent);
        json_number("seconds_left", left);
        json_end();
        return OUTCOME_OK;
    }
    snprintf(line, sizeof line, "%3d%% epoch %.0f/%" PRId64 " loss %.3f %s left",
        (int)(100 * place->update / (double)self->updates), place->epoch, self->epochs, loss,
        console_duration(left, time));
    if (console_is_terminal())
        console_rewrite(line);
    else
        console_line("%s", line);
    return OUTCOME_OK;
}

static void tell_figure(const training *self, double figure)
{
    char key[64];

    if (self->figure_key == NULL) return;
    snprintf(key, sizeof key, "valid_%s", self->figure_key);
    json_number(key, figure);
}

/* ", captions that are right 0.9876", or nothing. */
static const char *figure_text(const training *self, double figure, char *buffer, size_t size)
{
    buffer[0] = '\0';
    if (self->figure_words != NULL) snprintf(buffer, size, ", %s %.4f", self->figure_words, figure);
    return buffer;
}

/* An epoch that was too short for progress still has a point in the curve. */
static int add_points(training *self, double valid_loss)
{
    training_place *place = &self->place;
    double loss = place->interval_loss / place->interval_weight;

    if (place->interval_weight > 0 &&
        curve_add(&self->files.train_curve, (int64_t)place->update, loss) != OUTCOME_OK)
        return OUTCOME_FAILED;
    place->interval_loss = place->interval_weight = 0;
    return curve_add(&self->files.valid_curve, (int64_t)place->update, valid_loss);
}

int training_tell_epoch(training *self, const training_result *valid, int best)
{
    const training_place *place = &self->place;
    double loss = place->epoch_loss / place->epoch_weight;
    char time[CONSOLE_NUMBER_SIZE], figure[80];

    if (add_points(self, valid->loss) != OUTCOME_OK) return OUTCOME_FAILED;
    if (self->trial != NULL) return OUTCOME_OK;
    if (self->files.json) {
        json_begin("epoch");
        json_integer("epoch", (int64_t)place->epoch);
        json_integer("epochs", self->epochs);
        json_number("train_loss", loss);
        json_number("valid_loss", valid->loss);
        tell_figure(self, valid->figure);
        json_flag("best", best);
        json_number("seconds", session_seconds(&self->files));
        json_end();
        return OUTCOME_OK;
    }
    console_line("epoch %.0f/%" PRId64 ": training loss %.4f, validation loss %.4f%s%s, %s",
        place->epoch, self->epochs, loss, valid->loss,
        figure_text(self, valid->figure, figure, sizeof figure), best ? " (best)" : "",
        console_duration(session_seconds(&self->files), time));
    return OUTCOME_OK;
}

int training_tell_done(training *self)
{
    const training_place *place = &self->place;
    char *command, time[CONSOLE_NUMBER_SIZE], figure[80];

    self->files.parsed->given[arguments_find(self->files.parsed, "seed")] = 1;
    self->files.parsed->given[arguments_find(self->files.parsed, "threads")] = 1;
    command = resume_command(self->files.parsed, 0, NULL);
    if (command == NULL) return OUTCOME_FAILED;
    if (self->files.json) {
        json_begin("done");
        if (self->figure_leads) tell_figure(self, place->best_figure);
        json_number("valid_loss", place->best_loss);
        if (!self->figure_leads) tell_figure(self, place->best_figure);
        json_integer("epoch", (int64_t)place->best_epoch);
        json_integer("updates", (int64_t)place->update);
        json_number("seconds", session_seconds(&self->files));
        json_integer("seed", self->seed);
        json_text("model", self->files.model);
        json_text("command", command);
        json_end();
    } else {
        console_duration(session_seconds(&self->files), time);
        if (self->figure_leads)
            console_line("validation %s %.4f, loss %.4f (epoch %.0f), %s in all",
                self->figure_words, place->best_figure, place->best_loss, place->best_epoch, time);
        else
            console_line("validation loss %.4f nats per %s%s (epoch %.0f), %s in all",
                place->best_loss, self->unit,
                figure_text(self, place->best_figure, figure, sizeof figure), place->best_epoch,
                time);
        console_line("model: %s", self->files.model);
        console_line("to repeat: %s", command);
    }
    free(command);
    return OUTCOME_OK;
}
