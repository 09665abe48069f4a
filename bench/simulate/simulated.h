/* Included before everything else when Cohort's communication is built for SimGrid's SMPI. */
#include <mpi.h>

// SMPI offers no threads and says so; one rank is one thread here
#undef MPI_THREAD_FUNNELED
#define MPI_THREAD_FUNNELED MPI_THREAD_SINGLE
