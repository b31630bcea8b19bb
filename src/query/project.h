// SPDX-License-Identifier: Apache-2.0
// Projection: the part of a document that a query's `fields` name.
#pragma once

#include "query/form.h"

// Appends a copy of `document` that keeps `_id` and the elements that form->fields name, in the
// document's order. A path into a nested document keeps that part of it; one into an array keeps
// the whole array.
CHECKED enum status project(struct buffer *buffer, const struct form *form, struct bytes document);
