/* Text in SVG pictures. See svg.h. */
#include "svg.h"

#include "utf8.h"

void svg_write_text(FILE *out, const char *text)
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
double svg_text_width(const char *text, double size)
{
    double width = 0;

    for (const char *at = text; *at != '\0';) {
        int length = utf8_length(at);

        width += length > 2 ? size : 0.56 * size;
        at += length > 0 ? length : 1;
    }
    return width;
}
