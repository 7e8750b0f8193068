/**
 * Identities inside the server. All are positive integers that are never reused over the life of a data folder,
 * so that a late message about an old thing can never be taken for a new one. The API's opaque ids are made of them in `schema/`.
 */
export type JobId = number & { readonly __brand: 'JobId' }
/** A node of a job's task graph. */
export type TaskId = number & { readonly __brand: 'TaskId' }
export type SessionId = number & { readonly __brand: 'SessionId' }
export type UserId = number & { readonly __brand: 'UserId' }
/** One version (content digest) of a model. */
export type VersionId = number & { readonly __brand: 'VersionId' }
/** A component of a version. */
export type ComponentId = number & { readonly __brand: 'ComponentId' }
export type DeviceId = number & { readonly __brand: 'DeviceId' }
/** A worker process; its number is also its fencing epoch. */
export type WorkerId = number & { readonly __brand: 'WorkerId' }
/** A copy of a version in an engine of one worker. */
export type ResidencyId = number & { readonly __brand: 'ResidencyId' }
export type AllocationId = number & { readonly __brand: 'AllocationId' }

/** Milliseconds since the Unix epoch, as the shell's clock gave them. */
export type Millis = number
