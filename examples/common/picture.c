/* See picture.h. */
#include "picture.h"

#include <stdlib.h>

#include "console.h"
#include "output.h"
#include "svg.h"

int picture_begin(picture *self, double width, double height, const char *title)
{
    *self = (picture){0};
    self->out = open_memstream(&self->text, &self->length);
    if (self->out == NULL) return fail("out of memory");
    fprintf(self->out,
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' "
        "viewBox='0 0 %.0f %.0f' width='%.0f' height='%.0f' font-family='sans-serif' "
        "font-size='12'>\n<title>",
        width, height, width, height);
    svg_write_text(self->out, title);
    fputs("</title>\n<rect width='100%' height='100%' fill='white'/>\n", self->out);
    return OUTCOME_OK;
}

int picture_end(picture *self, const char *path, int outcome)
{
    fputs("</svg>\n", self->out);
    if (fclose(self->out) != 0 && outcome == OUTCOME_OK) outcome = fail("out of memory");
    if (outcome == OUTCOME_OK) outcome = output_replace(path, self->text, self->length);
    free(self->text);
    *self = (picture){0};
    return outcome;
}
