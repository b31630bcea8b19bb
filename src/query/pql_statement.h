// SPDX-License-Identifier: Apache-2.0
// A statement of PQL while its clauses are read: what pql.c and pql_rows.c share.
#pragma once

#include "query/pql_tree.h"
#include "query/stage.h"

#define FILTERS_MAX 32

struct statement {
    struct pql_parser parser;
    const struct catalog *catalog;
    struct pql *pql;
    struct pql_node *filters[FILTERS_MAX];
    size_t filter_count;
    struct buffer sort, stages; // arrays being built, in documents of their own
    struct doc_builder sort_builder, stage_builder;
    size_t stage_count, select_count;
    bool sorted, grouped; // grouped: the last stage was a group
    bool has_limit, has_skip, ended;
    int64_t limit, skip;
    struct doc_value after;
};

// `offset` is that of the clause's name; the token in hand is the first behind its parenthesis.
typedef enum status clause_parser(struct statement *statement, size_t offset);
clause_parser pql_parse_select, pql_parse_distinct, pql_parse_group, pql_parse_unwind,
    pql_parse_join;

// The members of the stage are added to `stage_builder` in between.
void pql_begin_stage(struct statement *statement, const char *name);
void pql_end_stage(struct statement *statement);
// STATUS_NO_STORE with a near name.
CHECKED enum status pql_find_store(struct statement *statement, struct bytes name, size_t offset);
