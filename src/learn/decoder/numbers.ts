/** Numbers of a decoder: all fp32, or all fp64. */
export type Numbers = Float32Array | Float64Array;
