/* Running tasks: what the `cohort` program does, for programs that embed Cohort.
 *
 *     coh_world *world = NULL;
 *     coh_world_open(&world);
 *     coh_status status = coh_run_start(world, "configs/dqn-cartpole.yaml", &options);
 *     coh_world_close(&world);
 */
#ifndef COHORT_RUN_H
#define COHORT_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cohort/comm.h"
#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a run is started. Zero-initialised: no overrides, a folder named for the config. */
typedef struct coh_run_start_options {
  const char *const *overrides; /* "key.path=value", n_overrides of them; borrowed */
  int64_t n_overrides;
  const char *folder; /* of the run; NULL: runs/<config>, numbered if that exists */
  const char *text;   /* the config itself; its path then only names it; NULL: read the file */
  bool tables;        /* output gets the tables of the results too */
  bool quiet;         /* no progress on stderr */
  FILE *output;       /* rank 0: results for people and scripts; NULL: none */
} coh_run_start_options;

/* Run a config to its end in a new run folder: train, log, evaluate, save, report.
 * Collective. options: NULL for the defaults.
 * Fails (agreed on by all ranks): COH_E_CONFIG; COH_E_DATA; COH_E_DIVERGED with the last good
 * checkpoint named; COH_E_SAVED after SIGTERM or SIGUSR1, with everything saved. */
coh_status coh_run_start(coh_world *world, const char *config_path,
                         const coh_run_start_options *options);

/* Go on with a run from its newest whole checkpoint, on any number of ranks, to the bits that
 * it would have reached untouched. overrides may set only what does not change those bits:
 * steps, threads, checkpoint_every, checkpoint_keep, watchdog, trace.
 * Collective. Fails: as coh_run_start, and COH_E_CHECKPOINT. */
coh_status coh_run_resume(coh_world *world, const char *folder,
                          const coh_run_start_options *options);

/* ---- sweeps ------------------------------------------------------------------------------ */

/* What a sweep tries. Zero-initialised: a grid, one seed, as many groups as runs and ranks
 * allow.
 */
typedef struct coh_sweep_options {
  const char *seeds;   /* "1..10" or "1,5,9": every setting with each; NULL: the config's own */
  int64_t n_random;    /* settings drawn at random; 0: the grid of all values */
  int64_t random_seed; /* of these draws */
  int64_t n_groups;    /* of ranks; each group does one run at a time; 0: chosen */
  const char *metric;  /* key of the result that is compared; NULL: a run's first result */
} coh_sweep_options;

/* Run a config with every setting of a grid, or with settings drawn at random, as one job whose
 * ranks are divided into groups: start->overrides that are lists (key=a,b,c) or ranges
 * (key=lo..hi, key=log:lo..hi) vary. Each run is a whole run folder, folder/members/NNNN, with
 * the bits that it has alone; results of all: folder/sweep.csv, settings.csv, report.html. A
 * run that fails is noted and leaves the others alone; a rank that crashes ends the job.
 * source: a config, or the folder of a sweep that was interrupted: then what is done is kept,
 * and start->overrides, seeds and n_random must be left out. Collective. Fails (agreed by all
 * ranks): COH_E_CONFIG; COH_E_SAVED after SIGTERM or SIGUSR1; as the first run that failed. */
coh_status coh_run_sweep(coh_world *world, const char *source,
                         const coh_run_start_options *start, const coh_sweep_options *options);

/* Whether a folder is that of a sweep. Not collective. */
bool coh_run_is_sweep(const char *folder);

/* Write a sweep's tables, figures and report again. output: closing lines, may be NULL.
 * Not collective. Fails: COH_E_DATA, COH_E_IO. */
coh_status coh_run_sweep_report(const char *folder, FILE *output);

/* Evaluate the newest checkpoint of a run and print the numbers to options->output as one JSON
 * object. Overrides may change how it is evaluated. Writes nothing into the folder.
 * Collective. Fails: as coh_run_resume. */
coh_status coh_run_evaluate(coh_world *world, const char *folder,
                            const coh_run_start_options *options);

/* Compare runs of one task: folder/report.html with their curves side by side. Runs whose
 * configs differ in the seed alone are drawn as their mean with Student's 95% interval; over-
 * and underfitting are named. Not collective. Fails: COH_E_DATA (no run folder), COH_E_CONFIG
 * (different tasks, more than eight configs), COH_E_IO. */
coh_status coh_run_compare(const char *const *folders, int64_t n_folders, const char *folder);

/* Score rows that others have made (folders or files) as the run's own are scored, beside real
 * rows that say what the numbers mean, and print all to options->output as one JSON object. The
 * run needs no checkpoint, only its config; overrides may change how rows are scored.
 * Collective. Fails: COH_E_CONFIG, COH_E_DATA, COH_E_CHECKPOINT (no run folder). */
coh_status coh_run_score(coh_world *world, const char *folder, const char *const *paths,
                         int64_t n_paths, const coh_run_start_options *options);

/* Generate rows with the newest checkpoint of a run and write them: a grid (.png), arrays
 * (.safetensors, .npz), or one PNG a row, a folder a class (a path that ends in /). All say
 * that they are synthetic and where they come from. paths: of files; n_paths 0: samples.png and
 * samples.safetensors in the run's results. options: overrides of n, seed, class
 * (`cohort help sample`). Names of files are printed to options->output.
 * Collective; rank 0 writes. Fails (agreed): COH_E_CONFIG, COH_E_CHECKPOINT, COH_E_IO. */
coh_status coh_run_sample(coh_world *world, const char *folder, const char *const *paths,
                          int64_t n_paths, const coh_run_start_options *options);

/* Make a map of data: a run of task tsne (or pca: the override task=pca) with the config that
 * follows. source: a dataset as in a config, a file (.npy .npz .csv .tsv .safetensors, IDX), a
 * folder of PNG files with a trailing /, a config, or a run folder: then rows are what a layer
 * of its network (override layer=) gives for `data`, or for its own data where data is NULL.
 * Collective. Fails: as coh_run_start. */
coh_status coh_run_embed(coh_world *world, const char *source, const char *data,
                         const coh_run_start_options *options);

/* Place other rows on the finished map of a run, or, with the override back=true, make rows of
 * places. data: as source above, no run. The places go to options->folder, a .npy or .csv file;
 * NULL: results/placed.npy of the run, with figures/placed.png. Collective. Fails (agreed):
 * COH_E_CONFIG, COH_E_DATA, COH_E_CHECKPOINT. */
coh_status coh_run_place(coh_world *world, const char *folder, const char *data,
                         const coh_run_start_options *options);

/* Draw the figures of a run again and write report.html from what its folder holds.
 * Not collective. Fails: COH_E_DATA, COH_E_IO. */
coh_status coh_run_report(const char *folder);

/* Look into a run's network, or show what needs no run (is_run false: pictures then go to
 * folder/figures). topics: of coh_explain_topic_kinds; n_topics 0: all that fit a run. Behind a
 * topic about files come their names.
 * options->overrides set options of the topics; output gets what is found. What a run's network
 * showed is also kept in its folder and its report.
 * Not collective. Fails: COH_E_CONFIG, COH_E_DATA, COH_E_CHECKPOINT, COH_E_IO. */
coh_status coh_run_explain(const char *folder, bool is_run, const char *const *topics,
                           int64_t n_topics, const coh_run_start_options *options);

/* Copy the newest whole checkpoint's model to a file: .safetensors, or .npz.
 * Collective. Fails: COH_E_CHECKPOINT, COH_E_IO, COH_E_CONFIG for another ending. */
coh_status coh_run_export(coh_world *world, const char *folder, const char *path);

/* ---- recording behaviour ----------------------------------------------------------------- */

/* Who plays instead of chance or an agent. env: the environment, at its current state; row:
 * what the last step did. *action: out, or -1 to stop. Fails: as it likes. */
struct coh_env;
typedef struct coh_record_moment {
  const struct coh_env *env;
  int64_t n_steps, n_episodes; /* so far */
  double reward, total;        /* of the last step, of the episode */
} coh_record_moment;
typedef coh_status coh_record_player(void *context, const coh_record_moment *moment,
                                     int32_t *action);

/* Record behaviour into a file of transitions (.npz, .csv, or a folder with a trailing /).
 * source: a run folder, whose trained agent acts; or an environment as in a config, e.g.
 * "cartpole" or "{frozen_lake: {map: 8x8}}", with actions drawn uniformly. options: overrides
 * of transitions, episodes, epsilon, seed (`cohort help record`); output: a line about what was
 * recorded. player: acts instead, with player_context; NULL: nobody.
 * Collective; rank 0 writes. Fails (agreed): COH_E_CONFIG, COH_E_CHECKPOINT, COH_E_IO. */
coh_status coh_run_record(coh_world *world, const char *source, const char *path,
                          const coh_run_start_options *options, coh_record_player *player,
                          void *player_context);

#ifdef __cplusplus
}
#endif
#endif
