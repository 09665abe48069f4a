/* Entries in planes of bits against plain arrays. */
#include "cohort_test.h"

#include <math.h>

#include "cohort/random.h"
#include "replay/entries.h"

enum { MOST = 2000, N_ENVS = 2 };

typedef struct plain {
  coh_entry entry[MOST];
  int64_t row[MOST], next_row;
} plain;

static coh_entry draw(coh_stream *stream, const coh_entry_layout *layout, double end_rate) {
  coh_entry entry = {.action = (int32_t)coh_stream_below(stream, layout->n_actions)};
  int64_t n_rewards = layout->reward_high - layout->reward_low + 1;
  entry.reward = n_rewards > 1
                     ? (float)(layout->reward_low + coh_stream_below(stream, n_rewards))
                     : (float)coh_stream_normal(stream);
  if (coh_stream_uniform(stream) < end_rate)
    entry.end = 1 + (uint32_t)coh_stream_below(stream, 2);
  return entry;
}

static void put_next(coh_entries *entries, plain *list, int64_t env, int64_t number,
                     const coh_entry *entry) {
  list[env].entry[number] = *entry;
  list[env].row[number] = list[env].next_row;
  coh_entries_put(entries, env, number, entry);
  coh_entries_set_row(entries, env, number, list[env].next_row);
  list[env].next_row += entry->end == COH_END_TRUNCATED ? 2 : 1; // and its final frame
}

static void check(const coh_entries *entries, const plain *list, int64_t env, int64_t first,
                  int64_t next) {
  for (int64_t number = first; number < next; number++) {
    const coh_entry *expected = &list[env].entry[number];
    coh_entry found = coh_entries_get(entries, env, number);
    assert_int_equal(found.end, expected->end);
    assert_int_equal(found.action, expected->action);
    assert_memory_equal(&found.reward, &expected->reward, sizeof(float)); // to the bit
    assert_int_equal(coh_entries_row(entries, env, number, next),
                     (uint32_t)list[env].row[number]);
  }
}

static int64_t oldest(const coh_entry_layout *layout, int64_t next) {
  return next > layout->n_places ? next - layout->n_places : 0;
}

// put, look at all that must still be there, and now and then begin anew as a load does
static void play(const coh_entry_layout *layout, double end_rate) {
  static plain list[N_ENVS];
  coh_entries entries;
  assert_ok(coh_entries_init(&entries, layout));
  coh_stream stream = coh_stream_begin(coh_key_make(3, "entries"), 0, 0);
  for (int64_t env = 0; env < N_ENVS; env++)
    list[env].next_row = (INT64_C(1) << 32) - 40; // the low bits wrap on the way
  for (int64_t next = 0; next < MOST; next++) {
    for (int64_t env = 0; env < N_ENVS; env++) {
      coh_entry entry = draw(&stream, layout, end_rate);
      put_next(&entries, list, env, next, &entry);
    }
    if (next % 7 == 0)
      for (int64_t env = 0; env < N_ENVS; env++)
        check(&entries, list, env, oldest(layout, next + 1), next + 1);
    if (coh_stream_below(&stream, 100) > 0) continue;
    coh_entries_clear(&entries);
    for (int64_t env = 0; env < N_ENVS; env++) {
      int64_t first = oldest(layout, next + 1);
      for (int64_t number = first; number <= next; number++)
        coh_entries_put(&entries, env, number, &list[env].entry[number]);
      for (int64_t number = next; number >= first; number--)
        coh_entries_set_row(&entries, env, number, list[env].row[number]);
      coh_entries_set_first_row(&entries, env, first, next + 1, list[env].row[first]);
      check(&entries, list, env, first, next + 1);
    }
  }
  coh_entries_fini(&entries);
}

static void every_entry_comes_back(void **state) {
  (void)state;
  const int64_t places[] = {1, 2, 63, 64, 65, 100, 128, 129, 300};
  for (size_t k = 0; k < sizeof places / sizeof *places; k++)
    for (int whole = 0; whole < 2; whole++) {
      coh_entry_layout layout = {.n_envs = N_ENVS,
                                 .n_places = places[k],
                                 .n_actions = whole ? 6 : 70000,
                                 .reward_low = whole ? -3 : 0,
                                 .reward_high = whole ? 12 : 0};
      play(&layout, 0.1);
      play(&layout, 0.0);
      play(&layout, 1.0);
    }
}

static void what_cannot_be_held_is_refused(void **state) {
  (void)state;
  coh_entries entries;
  coh_entry_layout layout = {
      .n_envs = 1, .n_places = 8, .n_actions = 2, .reward_low = -1, .reward_high = 1};
  assert_ok(coh_entries_init(&entries, &layout));
  assert_true(coh_entries_can_hold(&entries, -1) && coh_entries_can_hold(&entries, 1));
  assert_false(coh_entries_can_hold(&entries, 0.5f));
  assert_false(coh_entries_can_hold(&entries, 2));
  assert_false(coh_entries_can_hold(&entries, (float)NAN));
  coh_entries_fini(&entries);
  layout.reward_low = layout.reward_high = 0;
  assert_ok(coh_entries_init(&entries, &layout));
  assert_true(coh_entries_can_hold(&entries, 0.5f));
  coh_entries_fini(&entries);
}

// a MinAtar transition: 3 bits of action, 1 of reward, 2 of end, and the rows of the blocks
static void a_small_entry_takes_less_than_a_byte(void **state) {
  (void)state;
  coh_entry_layout layout = {.n_envs = 4, .n_places = 25000, .n_actions = 6, .reward_high = 1};
  assert_in_range(coh_entries_bytes(&layout), 4 * 25000 * 13 / 16, 4 * 25000 * 14 / 16);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_entry_comes_back),
      cmocka_unit_test(what_cannot_be_held_is_refused),
      cmocka_unit_test(a_small_entry_takes_less_than_a_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
