// SPDX-License-Identifier: Apache-2.0
// Dates in UTC, by the proleptic Gregorian calendar.
#include "base/limits.h"
#include "query/functions.h"

#define MS_PER_SECOND 1000LL
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR (60 * MS_PER_MINUTE)
#define MS_PER_DAY (24 * MS_PER_HOUR)

struct day {
    int64_t year;
    int month, day; // from 1
};

static int64_t floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

// Days since 1970-01-01, counted in eras of 400 years that begin with March.
static int64_t days_from(struct day day) {
    int64_t year = day.month <= 2 ? day.year - 1 : day.year;
    int64_t era = floor_divide(year, 400), of_era = year - era * 400;
    int64_t month = (day.month + 9) % 12;
    int64_t of_year = (153 * month + 2) / 5 + day.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct day day_from(int64_t days) {
    days += 719468;
    int64_t era = floor_divide(days, 146097), of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct day day = {.year = year + era * 400,
                      .month = (int)(month < 10 ? month + 3 : month - 9),
                      .day = (int)(of_year - (153 * month + 2) / 5 + 1)};
    day.year += day.month <= 2;
    return day;
}

static int days_of_month(int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

// ---- text -----------------------------------------------------------------------------------

// `count` digits at the front, taken off.
static bool take_number(struct bytes *text, size_t count, int *ret) {
    int number = 0;
    if (text->size < count) return false;
    for (size_t i = 0; i < count; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') return false;
        number = number * 10 + (text->data[i] - '0');
    }
    *text = bytes_of(text->data + count, text->size - count);
    *ret = number;
    return true;
}

static bool take_character(struct bytes *text, char character) {
    if (text->size == 0 || text->data[0] != character) return false;
    *text = bytes_of(text->data + 1, text->size - 1);
    return true;
}

static bool take_zone(struct bytes *text, int64_t *ret_milliseconds) {
    int hours, minutes;
    *ret_milliseconds = 0;
    if (take_character(text, 'Z')) return true;
    bool minus = take_character(text, '-');
    if (!minus && !take_character(text, '+')) return false;
    if (!take_number(text, 2, &hours)) return false;
    take_character(text, ':');
    if (!take_number(text, 2, &minutes) || hours > 23 || minutes > 59) return false;
    *ret_milliseconds = (hours * 60 + minutes) * MS_PER_MINUTE * (minus ? -1 : 1);
    return true;
}

static bool take_time(struct bytes *text, int64_t *ret_milliseconds) {
    int hours, minutes, seconds = 0, fraction = 0;
    int64_t zone;
    if (!take_number(text, 2, &hours) || !take_character(text, ':') ||
        !take_number(text, 2, &minutes))
        return false;
    if (take_character(text, ':') && !take_number(text, 2, &seconds)) return false;
    if (take_character(text, '.') && !take_number(text, 3, &fraction)) return false;
    if (hours > 23 || minutes > 59 || seconds > 59 || !take_zone(text, &zone)) return false;
    *ret_milliseconds =
        hours * MS_PER_HOUR + minutes * MS_PER_MINUTE + seconds * MS_PER_SECOND + fraction - zone;
    return true;
}

bool date_parse(struct bytes text, int64_t *ret_milliseconds) {
    int year, month, day;
    int64_t time = 0;
    if (!take_number(&text, 4, &year) || !take_character(&text, '-') ||
        !take_number(&text, 2, &month) || !take_character(&text, '-') ||
        !take_number(&text, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > days_of_month(year, month))
        return false;
    if (take_character(&text, 'T') && !take_time(&text, &time)) return false;
    if (text.size > 0) return false;
    *ret_milliseconds = days_from((struct day){year, month, day}) * MS_PER_DAY + time;
    return true;
}

// ---- functions ------------------------------------------------------------------------------

static bool check_date(struct evaluator *evaluator, const struct function *function,
                       const struct doc_value *value) {
    if (value->type == DOC_DATE) return true;
    evaluator_fail(evaluator, STATUS_INVALID, "%s: a date is expected, not %s", function->name,
                   doc_type_name(value->type));
    return false;
}

static struct doc_value part(struct evaluator *evaluator, const struct function *function,
                             const struct doc_value *arguments, size_t count) {
    if (!check_date(evaluator, function, &arguments[0]))
        return (struct doc_value){.type = DOC_NULL};
    int64_t days = floor_divide(arguments[0].integer, MS_PER_DAY);
    int64_t time = arguments[0].integer - days * MS_PER_DAY;
    struct day day = day_from(days);
    const char *name = function->name;
    if (strcmp(name, "year") == 0) return doc_value_int(day.year);
    if (strcmp(name, "month") == 0) return doc_value_int(day.month);
    if (strcmp(name, "day") == 0) return doc_value_int(day.day);
    if (strcmp(name, "hour") == 0) return doc_value_int(time / MS_PER_HOUR);
    if (strcmp(name, "minute") == 0) return doc_value_int(time / MS_PER_MINUTE % 60);
    return doc_value_int(time / MS_PER_SECOND % 60);
}

// The date at which the unit began that `date` is in.
static bool truncate(struct bytes unit, int64_t date, int64_t *ret) {
    static const struct {
        const char *name;
        int64_t milliseconds;
    } units[] = {{"second", MS_PER_SECOND},
                 {"minute", MS_PER_MINUTE},
                 {"hour", MS_PER_HOUR},
                 {"day", MS_PER_DAY}};
    for (size_t i = 0; i < 4; i++)
        if (bytes_equal_string(unit, units[i].name)) {
            *ret = floor_divide(date, units[i].milliseconds) * units[i].milliseconds;
            return true;
        }
    int64_t days = floor_divide(date, MS_PER_DAY);
    struct day day = day_from(days);
    day.day = 1;
    if (bytes_equal_string(unit, "week")) { // begins on Monday; 1970-01-01 was a Thursday
        *ret = (days - (days + 3 - floor_divide(days + 3, 7) * 7)) * MS_PER_DAY;
        return true;
    }
    if (bytes_equal_string(unit, "year")) day.month = 1;
    *ret = days_from(day) * MS_PER_DAY;
    return bytes_equal_string(unit, "year") || bytes_equal_string(unit, "month");
}

static struct doc_value date_trunc(struct evaluator *evaluator, const struct function *function,
                                   const struct doc_value *arguments, size_t count) {
    int64_t truncated;
    if (!check_date(evaluator, function, &arguments[0]))
        return (struct doc_value){.type = DOC_NULL};
    // Far from the range of dates so that no step overflows.
    int64_t date = arguments[0].integer;
    if (date > INT64_MAX / 2 || date < INT64_MIN / 2)
        return evaluator_fail(evaluator, STATUS_INVALID, "dateTrunc: the date is out of range");
    if (arguments[1].type != DOC_STRING || !truncate(arguments[1].payload, date, &truncated))
        return evaluator_fail(evaluator, STATUS_INVALID,
                              "dateTrunc: the unit is 'year', 'month', 'week', 'day', 'hour', "
                              "'minute' or 'second'");
    return (struct doc_value){.type = DOC_DATE, .integer = truncated};
}

const struct function date_functions[] = {
    {"year", 1, 1, false, part},
    {"month", 1, 1, false, part},
    {"day", 1, 1, false, part},
    {"hour", 1, 1, false, part},
    {"minute", 1, 1, false, part},
    {"second", 1, 1, false, part},
    {"dateTrunc", 2, 2, false, date_trunc},
    {NULL, 0, 0, false, NULL},
};
