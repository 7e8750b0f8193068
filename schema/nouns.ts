/** The object types that refer to each other, with what stands behind them. Each is filled in by the file of its name. */
import type { AllocationView } from '../src/app/allocations.ts'
import type { DeviceView, WorkerView } from '../src/app/app.ts'
import type { Residency as ResidencyView } from '../src/scheduler/commands.ts'
import type { Decision as DecisionView } from '../src/scheduler/explain/decisions.ts'
import type {
  ArtifactRecord,
  ComponentRecord,
  JobRecord,
  ModelRecord,
  SessionRecord,
  VersionRecord,
} from '../src/store/records.ts'
import { builder } from './builder.ts'
import { connectionRef } from './connection.ts'

export const Job = builder.objectRef<JobRecord>('Job')
export const Session = builder.objectRef<SessionRecord>('Session')
export const Model = builder.objectRef<ModelRecord>('Model')
export const ModelVersion = builder.objectRef<VersionRecord>('ModelVersion')
export const Component = builder.objectRef<ComponentRecord>('Component')
export const Residency = builder.objectRef<ResidencyView>('Residency')
export const Device = builder.objectRef<DeviceView>('Device')
export const Worker = builder.objectRef<WorkerView>('Worker')
export const Allocation = builder.objectRef<AllocationView>('Allocation')
export const Decision = builder.objectRef<DecisionView>('Decision')
export const Artifact = builder.objectRef<ArtifactRecord>('Artifact')

export const AllocationConnection = connectionRef('Allocation', Allocation)
export const DecisionConnection = connectionRef('Decision', Decision)
export const SessionConnection = connectionRef('Session', Session)
export const ModelConnection = connectionRef('Model', Model)
export const ModelVersionConnection = connectionRef('ModelVersion', ModelVersion)
