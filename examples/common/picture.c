/* See picture.h. */
#include "picture.h"

#include <stdlib.h>

#include "console.h"
#include "output.h"
#include "utf8.h"

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
    picture_text(self->out, title);
    fputs("</title>\n<rect width='100%' height='100%' fill='white'/>\n", self->out);
    return OUTCOME_OK;
}

void picture_text(FILE *out, const char *text)
{
    for (const char *at = text; *at != '\0';) {
        int length = utf8_length(at);

        if (length == 0)
            fputs("\xEF\xBF\xBD", out);
        else if (*at == '&')
            fputs("&amp;", out);
        else if (*at == '<')
            fputs("&lt;", out);
        else if (*at == '>')
            fputs("&gt;", out);
        else if (length == 1 && ((unsigned char)*at < 0x20 || *at == 0x7F))
            fputc(' ', out);
        else
            fwrite(at, 1, (size_t)length, out);
        at += length > 0 ? length : 1;
    }
}

/* Letters of most scripts are about 0.56 of the size wide; those of east Asian ones, of three bytes
 * and more in UTF-8, are as wide as high. */
double picture_text_width(const char *text, double size)
{
    double width = 0;

    for (const char *at = text; *at != '\0';) {
        int length = utf8_length(at);

        width += length > 2 ? size : 0.56 * size;
        at += length > 0 ? length : 1;
    }
    return width;
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
