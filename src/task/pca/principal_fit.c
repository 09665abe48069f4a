/* Passes over the rows, and the small problem that is solved after each. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "la/blas.h"
#include "la/byte_gram.h"
#include "la/lapack.h"
#include "la/vector.h"
#include "task/pca/principal.h"

// rows of a panel, added up in single precision, or in integers where rows are bytes
enum { PANEL = 2048, BYTE_PANEL = 2048, GROUPS = 8 };

struct coh_principal_fit {
  const coh_principal_problem *problem;
  int64_t n, d, columns; /* rows, values, columns of the basis */
  int64_t passes, n_passes;
  bool exact, bytes; /* bytes: exact, products in integers, about the affine map's shift */
  int64_t panel;     /* rows */
  int64_t n_panels, groups_a_lane, n_groups; /* of the run */
  int64_t n_products, n_sums; /* doubles of a group: products, d sums, d squares */
  float *shift;               /* (d) */
  float *basis;               /* (d, columns) */
  double **group;             /* local groups, n_sums each */
  const void **source;
  coh_lane_sum *sum;
  coh_principal result;
};

static int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static coh_status check_components(const coh_principal_problem *p,
                                   const coh_dataset_spec *spec) {
  int64_t most = smaller(spec->n_rows - 1, spec->n_values);
  COH_CHECK(spec->n_rows >= 2, COH_E_DATA,
            "%s has one row: there is nothing to compare it with", spec->name);
  COH_CHECK(p->options.components <= most, COH_E_CONFIG,
            "components: %lld of %lld rows with %lld values; at most %lld",
            (long long)p->options.components, (long long)spec->n_rows,
            (long long)spec->n_values, (long long)most);
  return COH_OK;
}

// random columns to start the power iteration from
static void draw_basis(coh_principal_fit *f) {
  coh_key key = coh_key_make(f->problem->seed, "pca basis");
  for (int64_t i = 0; i < f->d; i++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)i, 0);
    for (int64_t j = 0; j < f->columns; j++)
      f->basis[i * f->columns + j] = (float)coh_stream_normal(&stream);
  }
}

static coh_status allocate(coh_principal_fit *f) {
  const coh_principal_problem *p = f->problem;
  COH_TRY(coh_principal_init(f->d, p->options.components, &f->result));
  f->result.whiten = p->options.whiten;
  COH_NEW(f->shift, f->d);
  if (!f->exact) {
    COH_NEW(f->basis, f->d * f->columns);
    draw_basis(f);
  }
  int64_t n_local = p->lanes.n_local * f->groups_a_lane;
  COH_NEW(f->group, n_local);
  COH_NEW(f->source, p->lanes.n_local);
  for (int64_t g = 0; g < n_local; g++)
    COH_NEW(f->group[g], f->n_sums);
  return COH_OK;
}

coh_status coh_principal_fit_create(const coh_principal_problem *problem,
                                    coh_principal_fit **fit) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(problem->dataset);
  const coh_principal_options *o = &problem->options;
  COH_TRY(check_components(problem, spec));
  coh_principal_fit *f;
  COH_NEW(f, 1);
  f->problem = problem;
  f->n = spec->n_rows;
  f->d = spec->n_values;
  f->exact = o->method == COH_PRINCIPAL_EXACT ||
             (o->method == COH_PRINCIPAL_AUTO && f->d <= COH_PRINCIPAL_WIDE);
  f->columns = f->exact ? 0 : smaller(o->components + o->oversample, f->d);
  f->n_passes = f->exact ? 1 : o->powers + 2;
  f->bytes =
      f->exact && spec->dtype == COH_DTYPE_U8 && (o->center || problem->affine.shift == 0);
  f->panel = f->bytes ? BYTE_PANEL : PANEL;
  f->n_panels = (f->n + f->panel - 1) / f->panel;
  f->groups_a_lane = problem->lanes.n_lanes >= GROUPS ? 1 : GROUPS / problem->lanes.n_lanes;
  f->n_groups = problem->lanes.n_lanes * f->groups_a_lane;
  f->n_products = f->exact ? f->d * (f->d + 1) / 2 : f->d * f->columns;
  f->n_sums = f->n_products + 2 * f->d;
  coh_status status = allocate(f);
  status = coh_comm_agree(problem->world, status);
  if (status == COH_OK)
    status = coh_lane_sum_create(problem->world, &problem->lanes, COH_SUM_F64, f->n_sums,
                                 problem->n_threads, &f->sum);
  if (status != COH_OK) {
    coh_principal_fit_destroy(&f);
    return status;
  }
  *fit = f;
  return COH_OK;
}

void coh_principal_fit_destroy(coh_principal_fit **fit) {
  coh_principal_fit *f = *fit;
  if (!f) return;
  int64_t n_local = f->problem->lanes.n_local * f->groups_a_lane;
  for (int64_t g = 0; f->group && g < n_local; g++)
    coh_free(f->group[g]);
  coh_free(f->group);
  coh_free(f->source);
  coh_free(f->shift);
  coh_free(f->basis);
  coh_lane_sum_destroy(&f->sum);
  coh_principal_fini(&f->result);
  COH_DELETE(*fit);
}

// the mean of the first rows is near enough to the mean for nothing to cancel
static coh_status choose_shift(coh_principal_fit *f) {
  if (!f->problem->options.center) return COH_OK; // about the origin, as asked
  if (f->bytes) {
    for (int64_t j = 0; j < f->d; j++)
      f->shift[j] = f->problem->affine.shift;
    return COH_OK;
  }
  int64_t rows = smaller(f->n, 256);
  COH_TRY(coh_dataset_check_finite(f->problem->dataset, 0, rows));
  float *row;
  COH_NEW(row, rows * f->d);
  coh_dataset_read(f->problem->dataset, 0, rows, f->problem->affine, row);
  coh_la_sum_rows(rows, f->d, row, f->shift);
  coh_la_scale(f->d, 1 / (float)rows, f->shift);
  coh_free(row);
  return COH_OK;
}

// scratch of a thread
typedef struct panel_work {
  float *rows;                     /* (PANEL, d), shifted */
  float *product;                  /* (d, d) or (d, columns) */
  float *left;                     /* (PANEL, columns) */
  float *sum;                      /* (d) */
  int32_t *gram, *scratch, *count; /* bytes: products (d padded, pitch), and sums (d) */
} panel_work;

static void panel_work_fini(panel_work *w) {
  coh_free(w->rows);
  coh_free(w->product);
  coh_free(w->left);
  coh_free(w->sum);
  coh_free(w->gram);
  coh_free(w->scratch);
  coh_free(w->count);
}

static coh_status panel_work_init(const coh_principal_fit *f, panel_work *w) {
  int64_t columns = f->exact ? f->d : f->columns;
  if (f->bytes) {
    COH_NEW(w->gram, coh_la_byte_gram_size(f->d));
    COH_NEW(w->scratch, coh_la_byte_gram_scratch(f->d));
    COH_NEW(w->count, f->d);
    return COH_OK;
  }
  COH_NEW(w->rows, PANEL * f->d);
  COH_NEW(w->product, f->d * columns);
  COH_NEW(w->left, f->exact ? 1 : PANEL * columns);
  COH_NEW(w->sum, f->d);
  return COH_OK;
}

static void add_triangle(int64_t d, const float *product, double *sums) {
  for (int64_t i = 0; i < d; i++) {
    double *row = sums + i * (i + 1) / 2;
    for (int64_t j = 0; j <= i; j++)
      row[j] += (double)product[i * d + j];
  }
}

// sums of squares of the columns, for scaling where the diagonal is not at hand
static void add_squares(int64_t n, int64_t d, const float *rows, double *squares) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++)
      squares[j] += (double)rows[i * d + j] * (double)rows[i * d + j];
}

// exact integers become exact doubles; the affine map's scale waits for the end
static void add_byte_panel(const coh_principal_fit *f, int64_t panel, panel_work *w,
                           double *sums) {
  int64_t first = panel * BYTE_PANEL, n = smaller(BYTE_PANEL, f->n - first), d = f->d;
  int64_t pitch = coh_la_byte_gram_pitch(d);
  const uint8_t *rows = coh_dataset_row(f->problem->dataset, first);
  memset(w->gram, 0, (size_t)coh_la_byte_gram_size(d) * sizeof *w->gram);
  memset(w->count, 0, (size_t)d * sizeof *w->count);
  coh_la_byte_gram(n, d, rows, w->gram, w->count, w->scratch);
  for (int64_t i = 0; i < d; i++) {
    double *row = sums + i * (i + 1) / 2;
    for (int64_t j = 0; j <= i; j++)
      row[j] += w->gram[i * pitch + j];
    sums[f->n_products + i] += w->count[i];
  }
}

// sums of bytes to those of their values above the shift
static void scale_sums(const coh_principal_fit *f, double *sums) {
  double scale = (double)f->problem->affine.scale;
  for (int64_t i = 0; i < f->n_products; i++)
    sums[i] *= scale * scale;
  for (int64_t j = 0; j < f->d; j++)
    sums[f->n_products + j] *= scale;
}

static coh_status add_panel(const coh_principal_fit *f, int64_t panel, panel_work *w,
                            double *sums) {
  if (f->bytes) {
    add_byte_panel(f, panel, w, sums);
    return COH_OK;
  }
  int64_t first = panel * PANEL, n = smaller(PANEL, f->n - first), d = f->d;
  coh_dataset_read(f->problem->dataset, first, n, f->problem->affine, w->rows);
  for (int64_t i = 0; i < n; i++)
    coh_la_axpy(d, -1, f->shift, w->rows + i * d);
  if (!coh_la_all_finite(n * d, w->rows)) {
    COH_TRY(coh_dataset_check_finite(f->problem->dataset, first, n));
    return coh_fail(COH_E_DATA, "values of rows %lld to %lld are too large", (long long)first,
                    (long long)(first + n - 1));
  }
  if (f->exact) {
    coh_la_ssyrk(d, n, w->rows, d, w->product);
    add_triangle(d, w->product, sums);
  } else {
    int64_t c = f->columns;
    coh_la_sgemm(false, false, n, c, d, 1, w->rows, d, f->basis, c, 0, w->left, c);
    coh_la_sgemm(true, false, d, c, n, 1, w->rows, d, w->left, c, 0, w->product, c);
    for (int64_t i = 0; i < d * c; i++)
      sums[i] += (double)w->product[i];
    add_squares(n, d, w->rows, sums + f->n_products + d);
  }
  coh_la_sum_rows(n, d, w->rows, w->sum);
  for (int64_t j = 0; j < d; j++)
    sums[f->n_products + j] += (double)w->sum[j];
  return COH_OK;
}

static coh_status add_group(const coh_principal_fit *f, int64_t group, panel_work *w,
                            double *sums) {
  memset(sums, 0, (size_t)f->n_sums * sizeof *sums);
  int64_t end = (group + 1) * f->n_panels / f->n_groups;
  for (int64_t panel = group * f->n_panels / f->n_groups; panel < end; panel++)
    COH_TRY(add_panel(f, panel, w, sums));
  return COH_OK;
}

// every local group, and the lowest failure with its words
static coh_status add_groups(coh_principal_fit *f) {
  int64_t first = f->problem->lanes.first * f->groups_a_lane;
  int64_t n_local = f->problem->lanes.n_local * f->groups_a_lane, failed = INT64_MAX;
  coh_status worst = COH_OK;
  char message[1024] = "";
#pragma omp parallel default(none) shared(f, first, n_local, failed, worst, message) \
    num_threads(f->problem->n_threads)
  {
    panel_work work = {0};
    coh_status ready = panel_work_init(f, &work);
#pragma omp for schedule(dynamic)
    for (int64_t g = 0; g < n_local; g++) {
      coh_status status = ready == COH_OK ? add_group(f, first + g, &work, f->group[g]) : ready;
      if (status == COH_OK) continue;
#pragma omp critical
      if (g < failed) {
        failed = g;
        worst = status;
        size_t n = strlen(coh_error_message());
        memcpy(message, coh_error_message(), n + 1);
      }
    }
    panel_work_fini(&work);
  }
  return worst == COH_OK ? COH_OK : coh_fail(worst, "%s", message);
}

// groups of a lane into its first one, pairwise
static void fold_lane(coh_principal_fit *f, double **group) {
  for (int64_t width = 1; width < f->groups_a_lane; width *= 2)
    for (int64_t g = 0; g + width < f->groups_a_lane; g += 2 * width)
      for (int64_t i = 0; i < f->n_sums; i++)
        group[g][i] += group[g + width][i];
}

// mean and scale of the columns from the sums; squares: about the shift
static void set_columns(coh_principal_fit *f, const double *sums, const double *squares) {
  coh_principal *r = &f->result;
  double n = (double)f->n;
  r->n_constant = 0;
  r->total = 0;
  for (int64_t j = 0; j < f->d; j++) {
    double about = f->problem->options.center ? sums[j] / n : 0;
    r->mean[j] = f->problem->options.center ? (double)f->shift[j] + about : 0;
    double variance = (squares[j] - n * about * about) / (n - 1);
    // what rounding leaves of a column that never changes
    bool constant = !(variance > 1e-12 * (squares[j] / n + r->mean[j] * r->mean[j]));
    r->n_constant += constant;
    if (constant) variance = 0;
    r->scale[j] = f->problem->options.scale && !constant ? sqrt(variance) : 1;
    r->total += variance / (r->scale[j] * r->scale[j]);
  }
}

static coh_status check_total(const coh_principal_fit *f) {
  COH_CHECK(f->result.total > 0, COH_E_DATA, "%s: all rows are equal; there is nothing to map",
            coh_dataset_spec_of(f->problem->dataset)->name);
  return COH_OK;
}

static void fix_signs(coh_principal *r) {
  for (int64_t i = 0; i < r->k; i++) {
    coh_la_fix_sign(r->n_values, r->components + i * r->n_values);
    if (!(r->variances[i] > 0)) r->variances[i] = 0;
  }
}

static coh_status solve_exact(coh_principal_fit *f, const double *sums) {
  int64_t d = f->d;
  double n = (double)f->n, *a, *squares;
  COH_NEW(squares, d);
  for (int64_t j = 0; j < d; j++)
    squares[j] = sums[j * (j + 1) / 2 + j];
  set_columns(f, sums + f->n_products, squares);
  coh_free(squares);
  COH_TRY(check_total(f));
  COH_NEW(a, d * d);
  const coh_principal *r = &f->result;
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++) {
      double mean_i = f->problem->options.center ? sums[f->n_products + i] / n : 0;
      double mean_j = f->problem->options.center ? sums[f->n_products + j] / n : 0;
      a[i * d + j] = (sums[i * (i + 1) / 2 + j] - n * mean_i * mean_j) / (n - 1) /
                     (r->scale[i] * r->scale[j]);
    }
  coh_status status = coh_la_eigen_symmetric(d, a, r->k, r->variances, r->components);
  coh_free(a);
  return status;
}

// z (d, columns) = covariance of the scaled rows times the basis that was read with
static void product_of(const coh_principal_fit *f, const double *sums, double *z) {
  int64_t c = f->columns;
  double n = (double)f->n;
  const double *about = sums + f->n_products;
  for (int64_t j = 0; j < c; j++) {
    double dot = 0;
    for (int64_t i = 0; i < f->d; i++)
      dot += about[i] * (double)f->basis[i * c + j];
    if (!f->problem->options.center) dot = 0;
    for (int64_t i = 0; i < f->d; i++)
      z[i * c + j] = (sums[i * c + j] - about[i] / n * dot) / (n - 1) / f->result.scale[i];
  }
}

// Rayleigh-Ritz in the span of q, given z = C q: eigenvectors of q^T C q
static coh_status rotate(coh_principal_fit *f, const double *q, const double *z) {
  int64_t c = f->columns, d = f->d;
  coh_principal *r = &f->result;
  double *small, *vectors;
  COH_NEW(small, c * c);
  COH_NEW(vectors, r->k * c);
  coh_la_dgemm(true, false, c, c, d, 1, q, c, z, c, 0, small, c);
  coh_status status = coh_la_eigen_symmetric(c, small, r->k, r->variances, vectors);
  if (status == COH_OK)
    coh_la_dgemm(false, true, r->k, d, c, 1, vectors, c, q, c, 0, r->components, d);
  coh_free(small);
  coh_free(vectors);
  return status;
}

static coh_status solve_randomised(coh_principal_fit *f, const double *sums) {
  int64_t c = f->columns, d = f->d;
  set_columns(f, sums + f->n_products, sums + f->n_products + d);
  COH_TRY(check_total(f));
  double *z, *q;
  COH_NEW(z, d * c);
  COH_NEW(q, d * c);
  product_of(f, sums, z);
  // the basis carries 1 / scale, the directions do not
  for (int64_t i = 0; i < d * c; i++)
    q[i] = (double)f->basis[i] * f->result.scale[i / c];
  coh_status status = coh_la_qr(d, c, q, NULL); // as drawn it is not orthonormal yet
  if (status == COH_OK && f->passes) status = rotate(f, q, z);
  if (status == COH_OK) status = coh_la_qr(d, c, z, NULL);
  for (int64_t i = 0; i < d * c; i++)
    f->basis[i] = (float)(z[i] / f->result.scale[i / c]);
  coh_free(z);
  coh_free(q);
  return status;
}

coh_status coh_principal_fit_pass(coh_principal_fit *f) {
  coh_world *world = f->problem->world;
  coh_status status = choose_shift(f);
  if (status == COH_OK) status = add_groups(f);
  COH_TRY(coh_comm_agree(world, status));
  for (int64_t lane = 0; lane < f->problem->lanes.n_local; lane++) {
    fold_lane(f, f->group + lane * f->groups_a_lane);
    f->source[lane] = f->group[lane * f->groups_a_lane];
  }
  COH_TRY(coh_lane_sum_run(f->sum, f->source, f->n_sums, f->group[0]));
  if (f->bytes) scale_sums(f, f->group[0]);
  status = f->exact ? solve_exact(f, f->group[0]) : solve_randomised(f, f->group[0]);
  COH_TRY(coh_comm_agree(world, status));
  f->passes++;
  fix_signs(&f->result);
  return COH_OK;
}

int64_t coh_principal_fit_passes(const coh_principal_fit *fit) {
  return fit->passes;
}

bool coh_principal_fit_done(const coh_principal_fit *fit) {
  return fit->passes >= fit->n_passes;
}

coh_principal *coh_principal_fit_result(coh_principal_fit *fit) {
  return &fit->result;
}

float *coh_principal_fit_basis(coh_principal_fit *fit, int64_t *columns) {
  *columns = fit->columns;
  return fit->basis;
}

void coh_principal_fit_set_passes(coh_principal_fit *fit, int64_t passes) {
  fit->passes = passes;
}

coh_status coh_principal_compute(const coh_principal_problem *problem,
                                 coh_principal *principal) {
  coh_principal_fit *fit = NULL;
  COH_TRY(coh_principal_fit_create(problem, &fit));
  coh_status status = COH_OK;
  while (status == COH_OK && !coh_principal_fit_done(fit))
    status = coh_principal_fit_pass(fit);
  if (status == COH_OK) {
    *principal = fit->result;
    fit->result = (coh_principal){0};
  }
  coh_principal_fit_destroy(&fit);
  return status;
}
