/* pyshim_tree.c - whether an object of Python can go without pickle; see pyshim.h. The walk costs less than
 * a tenth of what it costs in Python, where it would take longer than all else that a put does. */
#include "pyshim_inner.h"

#include <stdlib.h>

enum { DICT, LIST, TUPLE, BOXES, STR = BOXES, BYTES, OTHERS };
enum { MOST_TYPES = 16, MOST_LEVELS = 64, SLOTS = 64 };

/* The length from which a str or bytes that is there twice is worth a pickle, which has it once. */
enum { LONG = 4096 };

/* The types: dict, list and tuple, then those of what holds nothing, str and bytes first. A capsule owns it.
 */
struct types {
    pi_object *types[MOST_TYPES];
    int count;
};

/* A container that is being walked through. */
struct level {
    pi_object *box;
    ptrdiff_t at;
    int type;
};

/* The containers, and the long of the others, that were met so far: a table of open addressing, at most half
 * full. */
struct met {
    pi_object **slots;
    size_t mask, count;
    pi_object *few[SLOTS];
};

/* Where to look for an object first: Fibonacci hashing, Knuth, The Art of Computer Programming 3, 6.4. */
static size_t start(pi_object *o) { return (size_t)((uintptr_t)o * UINT64_C(0x9E3779B97F4A7C15) >> 20); }

static void insert(struct met *m, pi_object *o) {
    size_t i = start(o) & m->mask;
    while (m->slots[i] != NULL)
        i = (i + 1) & m->mask;
    m->slots[i] = o;
    m->count++;
}

static bool grow(struct met *m) {
    struct met larger = {.mask = m->mask * 4 + 3};
    larger.slots = calloc(larger.mask + 1, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i <= m->mask; i++)
        if (m->slots[i] != NULL)
            insert(&larger, m->slots[i]);
    if (m->slots != m->few)
        free(m->slots);
    m->slots = larger.slots;
    m->mask = larger.mask;
    return true;
}

/* Whether it is met for the first time. */
static bool first(struct met *m, pi_object *o) {
    for (size_t i = start(o) & m->mask; m->slots[i] != NULL; i = (i + 1) & m->mask)
        if (m->slots[i] == o)
            return false;
    if (m->count * 2 > m->mask && !grow(m))
        return false;
    insert(m, o);
    return true;
}

/* The number of an object's type, -1 for another one. Exact: a subclass is another one. */
static int type_of(const struct types *t, pi_object *o) {
    const struct pi_python *py = python();
    pi_object *type = py->PyObject_Type(o);
    py->Py_DecRef(type); /* the object has it */
    for (int i = 0; i < t->count; i++)
        if (t->types[i] == type)
            return i;
    return -1;
}

/* Whether it is a str or bytes that may be there only once. */
static bool is_long(int type, pi_object *o) {
    return (type == STR || type == BYTES) && python()->PyObject_Size(o) >= LONG;
}

/* Looks at an object; one that holds others becomes the next level. False if it cannot go without pickle. */
static bool look(const struct types *t, struct met *m, struct level *levels, int *depth, pi_object *o) {
    const int type = type_of(t, o);
    if (type < 0 || type >= BOXES)
        return type >= 0 && (!is_long(type, o) || first(m, o));
    if (type == TUPLE && python()->PyTuple_Size(o) == 0)
        return true; /* the same object everywhere, which nobody can tell */
    if (*depth == MOST_LEVELS || !first(m, o))
        return false;
    levels[(*depth)++] = (struct level){.box = o, .type = type};
    return true;
}

/* The next object of a level; NULL at its end. A dict's key holds nothing and is not long, or good is false.
 */
static pi_object *next(const struct types *t, struct level *l, bool *good) {
    const struct pi_python *py = python();
    pi_object *key, *value;
    switch (l->type) {
    case DICT: {
        if (py->PyDict_Next(l->box, &l->at, &key, &value) == 0)
            return NULL;
        const int type = type_of(t, key);
        *good = type >= BOXES && !is_long(type, key);
        return value;
    }
    case LIST:
        return l->at < py->PyList_Size(l->box) ? py->PyList_GetItem(l->box, l->at++) : NULL;
    default:
        return l->at < py->PyTuple_Size(l->box) ? py->PyTuple_GetItem(l->box, l->at++) : NULL;
    }
}

/* The GIL is held all the time, and nothing of Python runs meanwhile that could change an object. */
static bool is_tree(const struct types *t, pi_object *root) {
    struct level levels[MOST_LEVELS];
    struct met m = {.slots = m.few, .mask = SLOTS - 1};
    int depth = 0;
    bool good = look(t, &m, levels, &depth, root);
    while (good && depth > 0) {
        pi_object *o = next(t, &levels[depth - 1], &good);
        if (o == NULL)
            depth--;
        else
            good = good && look(t, &m, levels, &depth, o);
    }
    if (m.slots != m.few)
        free(m.slots);
    return good;
}

static pi_object *tree(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    if (count != 1)
        return bad_argument();
    return number(is_tree(python()->PyCapsule_GetPointer(self, NULL), arguments[0]));
}

static void drop(pi_object *capsule) {
    const struct pi_python *py = python();
    struct types *t = py->PyCapsule_GetPointer(capsule, NULL);
    for (int i = 0; i < t->count; i++)
        py->Py_DecRef(t->types[i]);
    free(t);
}

static const struct pi_method method = {"tree", tree, PI_FASTCALL, NULL};

pi_object *polyipc_py_tree(pi_object *types) {
    const struct pi_python *py = python();
    const ptrdiff_t count = py->PyTuple_Size(types);
    if (count < OTHERS || count > MOST_TYPES)
        return bad_argument();
    struct types *t = calloc(1, sizeof *t);
    pi_object *capsule = t != NULL ? py->PyCapsule_New(t, NULL, drop) : NULL;
    if (capsule == NULL) {
        free(t);
        return t != NULL ? NULL : bad_argument();
    }
    for (; t->count < count; t->count++) {
        t->types[t->count] = py->PyTuple_GetItem(types, t->count);
        py->Py_IncRef(t->types[t->count]);
    }
    pi_object *function = py->PyCFunction_NewEx(&method, capsule, NULL);
    py->Py_DecRef(capsule);
    return function;
}
