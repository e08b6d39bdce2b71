/* Shim: the driver's types (see shim.h). */
#ifndef SHIM_CUDA_H
#define SHIM_CUDA_H
typedef int CUdevice;
typedef struct shim_context *CUcontext;
typedef int CUresult;
#define CUDA_SUCCESS 0
#endif
