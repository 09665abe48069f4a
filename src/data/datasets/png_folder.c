/* Images from a folder of PNG files: one folder a class, or all in one without labels. Files
 * are taken in byte order of their names, so that every machine numbers the rows alike. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/dataset_type.h"
#include "io/image.h"

enum { MAX_PIXELS = 1 << 26 };

typedef enum png_channels { CHANNELS_AUTO, CHANNELS_GRAY, CHANNELS_RGB } png_channels;

typedef struct png_options {
  char *folder;
  int channels;
  int64_t memory;
} png_options;

static const coh_option options_table[] = {
    {.name = "folder",
     .type = COH_STRING,
     .offset = offsetof(png_options, folder),
     .doc = "Holds one folder of PNG files a class, named for it, or the files themselves; "
            "other files and hidden ones are left alone."},
    {.name = "channels",
     .type = COH_CHOICE,
     .offset = offsetof(png_options, channels),
     .initial = "auto",
     .choices = "auto|gray|rgb",
     .doc = "Turn all images gray or to colours; auto: all must be as the first one is."},
    {.name = "memory",
     .type = COH_BYTES,
     .offset = offsetof(png_options, memory),
     .initial = COH_DATASET_MEMORY,
     .min = 1,
     .max = 1e15,
     .doc = "Refuse images that take more together."},
    {.name = NULL}};

// ---- names --------------------------------------------------------------------------------

typedef struct name_list {
  char **name; // sorted, owned
  int64_t n, capacity;
} name_list;

static void clear_names(name_list *list) {
  for (int64_t i = 0; i < list->n; i++)
    coh_free(list->name[i]);
  coh_free(list->name);
  *list = (name_list){0};
}

static coh_status add_name(name_list *list, const char *name) {
  if (list->n == list->capacity) {
    int64_t capacity = list->capacity ? 2 * list->capacity : 64;
    char **grown =
        coh_alloc_resize(list->name, (size_t)list->n, (size_t)capacity, sizeof *grown);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory for %" PRId64 " names of files", capacity);
    list->name = grown;
    list->capacity = capacity;
  }
  list->name[list->n] = coh_alloc_string(name);
  COH_CHECK(list->name[list->n], COH_E_MEMORY, "out of memory for the name %s", name);
  list->n++;
  return COH_OK;
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_png(const char *name) {
  size_t n = strlen(name);
  return n > 4 && strcasecmp(name + n - 4, ".png") == 0;
}

static coh_status join(const char *folder, const char *name, char **path) {
  coh_text text = {0};
  coh_text_add(&text, "%s/%s", folder, name);
  return coh_text_take(&text, path);
}

static coh_status add_entry(const char *path, const char *name, name_list *files,
                            name_list *folders) {
  char *full;
  struct stat about;
  COH_TRY(join(path, name, &full));
  int result = stat(full, &about);
  int cause = errno;
  coh_status status = COH_OK;
  if (result != 0)
    status = coh_fail(COH_E_DATA, "%s: cannot look at it: %s", full, strerror(cause));
  else if (S_ISDIR(about.st_mode) && folders)
    status = add_name(folders, name);
  else if (S_ISREG(about.st_mode) && is_png(name))
    status = add_name(files, name);
  coh_free(full);
  return status;
}

// the PNG files of a folder, and the folders in it (unless NULL), sorted
static coh_status list_folder(const char *path, name_list *files, name_list *folders) {
  DIR *folder = opendir(path);
  COH_CHECK(folder, COH_E_DATA, "%s: cannot list: %s", path, strerror(errno));
  coh_status status = COH_OK;
  for (struct dirent *entry; status == COH_OK && (entry = readdir(folder));)
    if (entry->d_name[0] != '.') status = add_entry(path, entry->d_name, files, folders);
  closedir(folder);
  if (files->n > 1) qsort(files->name, (size_t)files->n, sizeof *files->name, by_bytes);
  if (folders && folders->n > 1)
    qsort(folders->name, (size_t)folders->n, sizeof *folders->name, by_bytes);
  return status;
}

// ---- images -------------------------------------------------------------------------------

typedef struct png_reader {
  const png_options *o;
  coh_dataset *dataset;
  int64_t n_rows, row;   // in all, and read so far
  int64_t width, height; // of the first image
  int n_channels;        // of all images, once turned
  char *first;           // its file, for messages; owned
} png_reader;

static coh_status begin_images(png_reader *r, const char *path, const coh_image *image) {
  r->width = image->width;
  r->height = image->height;
  r->n_channels = r->o->channels == CHANNELS_AUTO   ? image->n_channels
                  : r->o->channels == CHANNELS_GRAY ? 1
                                                    : 3;
  r->first = coh_alloc_string(path);
  COH_CHECK(r->first, COH_E_MEMORY, "out of memory for the name %s", path);
  int64_t bytes = r->width * r->height * r->n_channels;
  COH_CHECK(r->n_rows <= r->o->memory / bytes, COH_E_DATA,
            "%s: %" PRId64 " images of %" PRId64
            " bytes take more than `memory` allows, %" PRId64 " bytes",
            r->o->folder, r->n_rows, bytes, r->o->memory);
  uint8_t *data;
  COH_NEW(data, r->n_rows * bytes);
  r->dataset->rows = (coh_array){.dtype = COH_DTYPE_U8,
                                 .n_dims = 4,
                                 .shape = {r->n_rows, r->height, r->width, r->n_channels},
                                 .data = data};
  return COH_OK;
}

static void put_image(const coh_image *image, int n_channels, uint8_t *to) {
  int64_t n_pixels = image->width * image->height;
  const uint8_t *from = image->data;
  if (n_channels == image->n_channels) {
    memcpy(to, from, (size_t)(n_pixels * n_channels));
  } else if (n_channels == 3) {
    for (int64_t i = 0; i < n_pixels; i++)
      to[3 * i] = to[3 * i + 1] = to[3 * i + 2] = from[i];
  } else { // luma of ITU-R BT.601, in whole numbers
    for (int64_t i = 0; i < n_pixels; i++, from += 3)
      to[i] = (uint8_t)((299 * from[0] + 587 * from[1] + 114 * from[2] + 500) / 1000);
  }
}

static coh_status take_image(png_reader *r, const char *path, const coh_image *image) {
  if (r->row == 0) COH_TRY(begin_images(r, path, image));
  COH_CHECK(image->width == r->width && image->height == r->height, COH_E_DATA,
            "%s: is %" PRId64 " x %" PRId64 ", but %s is %" PRId64 " x %" PRId64
            "; all images must have one size",
            path, image->width, image->height, r->first, r->width, r->height);
  COH_CHECK(r->o->channels != CHANNELS_AUTO || image->n_channels == r->n_channels, COH_E_DATA,
            "%s: is %s, but %s is not; use `channels: gray` or `channels: rgb`", path,
            image->n_channels == 1 ? "gray" : "coloured", r->first);
  int64_t bytes = r->width * r->height * r->n_channels;
  put_image(image, r->n_channels, (uint8_t *)r->dataset->rows.data + r->row * bytes);
  r->row++;
  return COH_OK;
}

static coh_status read_images(png_reader *r, const char *folder, const name_list *files) {
  for (int64_t i = 0; i < files->n; i++) {
    char *path;
    coh_image image;
    COH_TRY(join(folder, files->name[i], &path));
    coh_status status = coh_png_read(path, MAX_PIXELS, &image);
    if (status == COH_OK) {
      status = take_image(r, path, &image);
      coh_image_clear(&image);
    }
    coh_free(path);
    COH_TRY(status);
  }
  return COH_OK;
}

// ---- classes ------------------------------------------------------------------------------

static coh_status list_class(const char *folder, const char *name, name_list *files) {
  char *path;
  COH_TRY(join(folder, name, &path));
  coh_status status = list_folder(path, files, NULL);
  if (status == COH_OK && files->n == 0)
    status = coh_fail(COH_E_DATA, "%s: has no PNG files: the class is empty", path);
  coh_free(path);
  return status;
}

static coh_status read_class(png_reader *r, const char *folder, const char *name,
                             const name_list *files) {
  char *path;
  COH_TRY(join(folder, name, &path));
  coh_status status = read_images(r, path, files);
  coh_free(path);
  return status;
}

// count first, so that the images are put into one block as they are read
static coh_status read_classes(png_reader *r, const name_list *classes, name_list *files) {
  const char *folder = r->o->folder;
  for (int64_t c = 0; c < classes->n; c++) {
    COH_TRY(list_class(folder, classes->name[c], &files[c]));
    r->n_rows += files[c].n;
  }
  COH_NEW(r->dataset->labels, r->n_rows);
  r->dataset->n_labels = r->n_rows;
  for (int64_t c = 0; c < classes->n; c++) {
    for (int64_t i = 0; i < files[c].n; i++)
      r->dataset->labels[r->row + i] = (int32_t)c;
    COH_TRY(read_class(r, folder, classes->name[c], &files[c]));
  }
  return coh_dataset_name_classes(r->dataset, classes->n, (const char *const *)classes->name);
}

static coh_status read_labelled(png_reader *r, const name_list *classes) {
  COH_CHECK(classes->n <= COH_MAX_CLASSES, COH_E_DATA,
            "%s: holds %" PRId64 " folders, more than %d classes", r->o->folder, classes->n,
            COH_MAX_CLASSES);
  name_list *files;
  COH_NEW(files, classes->n);
  coh_status status = read_classes(r, classes, files);
  for (int64_t c = 0; c < classes->n; c++)
    clear_names(&files[c]);
  coh_free(files);
  return status;
}

static coh_status read_folder(png_reader *r, name_list *files, name_list *classes) {
  const char *folder = r->o->folder;
  COH_TRY(list_folder(folder, files, classes));
  COH_CHECK(files->n == 0 || classes->n == 0, COH_E_DATA,
            "%s: holds PNG files (%s) beside folders (%s); use either, or a folder of its own",
            folder, files->name[0], classes->name[0]);
  COH_CHECK(files->n + classes->n > 0, COH_E_DATA, "%s: holds no PNG files and no folders",
            folder);
  if (classes->n > 0) return read_labelled(r, classes);
  r->n_rows = files->n;
  return read_images(r, folder, files);
}

static coh_status load(const void *options, coh_dataset *dataset) {
  png_reader reader = {.o = options, .dataset = dataset};
  name_list files = {0}, classes = {0};
  COH_TRY(coh_dataset_set_source(dataset, reader.o->folder));
  coh_status status = read_folder(&reader, &files, &classes);
  clear_names(&files);
  clear_names(&classes);
  coh_free(reader.first);
  return status;
}

const coh_dataset_type coh_dataset_type_png_folder = {
    .kind = {.name = "png_folder",
             .doc = "PNG images of one size, in one folder a class or all together.",
             .options = options_table,
             .options_size = sizeof(png_options)},
    .load = load,
};
