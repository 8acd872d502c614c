// Copies of elements as words of 8, 32 or 64 bits, whatever their dtype: one thread moves one element.
#include "broadcast.cuh"

typedef unsigned char word8;
typedef unsigned word32;
typedef unsigned long long word64;

#define OF_EVERY_WIDTH(NAME, RECORD) \
    extern "C" __global__ void NAME##_8(const RECORD<word8>* work) { NAME(*work); } \
    extern "C" __global__ void NAME##_32(const RECORD<word32>* work) { NAME(*work); } \
    extern "C" __global__ void NAME##_64(const RECORD<word64>* work) { NAME(*work); }

// y and x are walked together; both point at the first element of the walk, and a step may be below zero.
template <class T> struct Copy {
    T* y;
    const T* x;
    word size, rank, lengths[MAX_RANK], x_steps[MAX_RANK], y_steps[MAX_RANK];
};
template <class T> EXACT void copy_walk(const Copy<T>& work) {
    int rest = global_thread(), from = 0, to = 0;
    if (rest >= work.size) return;
    for (int axis = (int)work.rank - 1; axis >= 0; axis--) {
        int length = (int)work.lengths[axis], at = rest % length;
        rest /= length;
        from += at * (int)work.x_steps[axis];
        to += at * (int)work.y_steps[axis];
    }
    work.y[to] = work.x[from];
}
OF_EVERY_WIDTH(copy_walk, Copy)

template <class T> struct Fill {
    T* y;
    const T* value;
    word size;
};
template <class T> EXACT void fill(const Fill<T>& work) {
    int i = global_thread();
    if (i < work.size) work.y[i] = *work.value;
}
OF_EVERY_WIDTH(fill, Fill)

// The element at the sum of one place per axis; those of axis a stand in `places` from starts[a] on.
template <class T> struct Mapped {
    T* y;
    const T* x;
    const int* places;
    word size, rank, lengths[MAX_RANK], starts[MAX_RANK];
};
template <class T> EXACT void copy_mapped(const Mapped<T>& work) {
    int i = global_thread(), rest = i, from = 0;
    if (i >= work.size) return;
    for (int axis = (int)work.rank - 1; axis >= 0; axis--) {
        int length = (int)work.lengths[axis];
        from += work.places[(int)work.starts[axis] + rest % length];
        rest /= length;
    }
    work.y[i] = work.x[from];
}
OF_EVERY_WIDTH(copy_mapped, Mapped)

// y (outer, count, inner) of x (outer, length, inner): slice places[i] of each block.
template <class T> struct Chosen {
    T* y;
    const T* x;
    const int* places;
    word size, length, count, inner;
};
template <class T> EXACT void choose_slices(const Chosen<T>& work) {
    int i = global_thread(), inner = (int)work.inner, count = (int)work.count;
    if (i >= work.size) return;
    int slice = i / inner, block = slice / count;
    work.y[i] = work.x[(block * (int)work.length + work.places[slice % count]) * inner + i % inner];
}
OF_EVERY_WIDTH(choose_slices, Chosen)

// y has the shape of `places`, each of which counts along one axis of x; x_steps has 0 for that axis.
template <class T> struct Elements {
    T* y;
    const T* x;
    const int* places;
    word size, rank, lengths[MAX_RANK], x_steps[MAX_RANK], axis_step;
};
template <class T> EXACT void choose_elements(const Elements<T>& work) {
    int i = global_thread(), rest = i, from = 0;
    if (i >= work.size) return;
    for (int axis = (int)work.rank - 1; axis >= 0; axis--) {
        int length = (int)work.lengths[axis];
        from += rest % length * (int)work.x_steps[axis];
        rest /= length;
    }
    work.y[i] = work.x[from + work.places[i] * (int)work.axis_step];
}
OF_EVERY_WIDTH(choose_elements, Elements)

// Update i becomes slice places[i]; no place stands twice.
template <class T> struct Put {
    T* y;
    const T* updates;
    const int* places;
    word size, inner;
};
template <class T> EXACT void put_slices(const Put<T>& work) {
    int i = global_thread(), inner = (int)work.inner;
    if (i < work.size) work.y[work.places[i / inner] * inner + i % inner] = work.updates[i];
}
OF_EVERY_WIDTH(put_slices, Put)

// The row-major place that each tuple of indices names; part k counts along an axis of lengths[k], a negative one from its end.
// An index outside sets *fault, and 0 stands in its place. All threads that write *fault write the same number.
template <class T> struct Find {
    int* places;
    const T* indices;
    int* fault;
    word size, depth, per_block, block, lengths[MAX_RANK];  // tuple t lies in block t / per_block; blocks are `block` places apart
};
template <class T> EXACT void find_places(const Find<T>& work) {
    int i = global_thread(), depth = (int)work.depth, place = 0;
    if (i >= work.size) return;
    for (int k = 0; k < depth; k++) {
        long long index = work.indices[i * depth + k], length = work.lengths[k];
        if (index < -length || index >= length) *work.fault = 1, index = 0;
        place = place * (int)length + (int)(index < 0 ? index + length : index);
    }
    work.places[i] = place + i / (int)work.per_block * (int)work.block;
}
extern "C" __global__ void find_places_int32(const Find<int>* work) { find_places(*work); }
extern "C" __global__ void find_places_int64(const Find<long long>* work) { find_places(*work); }

// Where x stands among ascending keys; `count` where it is none of them.
template <class T> struct Search {
    int* places;
    const T* x;
    const T* keys;
    word size, count;
};
template <class T> EXACT void find_keys(const Search<T>& work) {
    int i = global_thread(), low = 0, high = (int)work.count;
    if (i >= work.size) return;
    T x = work.x[i];
    while (low < high) {
        int middle = (low + high) / 2;
        if (work.keys[middle] < x) low = middle + 1;
        else high = middle;
    }
    work.places[i] = low < work.count && work.keys[low] == x ? low : (int)work.count;
}
extern "C" __global__ void find_keys_float32(const Search<float>* work) { find_keys(*work); }
extern "C" __global__ void find_keys_int64(const Search<long long>* work) { find_keys(*work); }

// OneHot: whether the index of (outer, inner) is place d of (outer, depth, inner), or d - depth.
template <class T> struct Marks {
    unsigned char* y;
    const T* indices;
    word size, depth, inner;
};
EXACT bool is_place(long long index, int place) { return index == place; }
EXACT bool is_place(float index, int place) { return index == f32_of_i32(place); }
template <class T> EXACT void mark(const Marks<T>& work) {
    int i = global_thread(), inner = (int)work.inner, depth = (int)work.depth;
    if (i >= work.size) return;
    int place = i / inner % depth;
    T index = work.indices[i / inner / depth * inner + i % inner];
    work.y[i] = is_place(index, place) || is_place(index, place - depth);
}
extern "C" __global__ void mark_float32(const Marks<float>* work) { mark(*work); }
extern "C" __global__ void mark_int64(const Marks<long long>* work) { mark(*work); }
