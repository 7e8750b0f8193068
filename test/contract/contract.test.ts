import { readFileSync } from 'node:fs'
import {
  buildSchema,
  type DefinitionNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isSpecifiedScalarType,
  isUnionType,
  parse,
  print,
} from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../schema/schema.ts'

const contract = buildSchema(`${readText('./contract.graphql')}\n${readText('./extensions.graphql')}`)

test('everything in the schema is in the contract or among its extensions, with the same type, nullability and default', () => {
  expect(differences(buildSchema(readSchema()), contract)).toEqual([])
})

test('a field, an argument, a default or a member that the contract does not have is found', () => {
  const strange = buildSchema(
    readSchema()
      .replace('devices: [Device!]', 'devices: [Device]')
      .replace('first: Int! = 20', 'first: Int! = 30')
      .replace('pid: Int', 'pid: Int\n  parent: Int')
      .replace('enum DeviceKind {', 'enum DeviceKind {\n  TPU')
      .replace('union JobOutput = ', 'union JobOutput = Device | '),
  )
  expect(differences(strange, contract).sort()).toEqual([
    'DeviceKind.TPU is not in the contract',
    'JobOutput includes Device',
    'Query.devices is [Device], not [Device!]',
    'Queue.next(first:) is Int! = 30, not Int! = 20',
    'Worker.parent is not in the contract',
  ])
})

test('the operations of the contract so far are there', () => {
  const names = (type: 'Query' | 'Mutation' | 'Subscription') => {
    const root = schema.getType(type)
    return isObjectType(root) ? Object.keys(root.getFields()).sort() : []
  }
  expect(names('Query')).toEqual([
    'allocations',
    'decisions',
    'devices',
    'job',
    'jobs',
    'model',
    'models',
    'node',
    'nodes',
    'queue',
    'server',
    'sessions',
    'workers',
  ])
  expect(names('Mutation')).toEqual([
    'cancelJob',
    'closeSession',
    'loadModel',
    'openSession',
    'pauseJob',
    'pinModel',
    'prewarmModel',
    'registerModel',
    'resumeJob',
    'retryJob',
    'submitJob',
    'submitJobs',
    'unloadModel',
  ])
  expect(names('Subscription')).toEqual(['decisions', 'jobChanges', 'jobEvents', 'modelEvents'])
})

test('every extension is in the schema', () => {
  const extended = parse(readText('./extensions.graphql')).definitions
  expect(extended.length).toBeGreaterThan(0)
  const ours = buildSchema(readSchema())
  const named = differences(contract, ours).filter((difference) => isOfExtensions(difference, extended))
  expect(named).toEqual([])
})

/** Whether a difference begins with a type, field or value that an extension adds. */
function isOfExtensions(difference: string, extended: readonly DefinitionNode[]): boolean {
  return extended.some((node) => {
    const name = 'name' in node ? (node.name?.value ?? '') : ''
    const members = 'fields' in node ? (node.fields ?? []) : 'values' in node ? (node.values ?? []) : []
    return [name, ...members.map((member) => `${name}.${member.name.value}`)].some((path) =>
      difference.startsWith(`${path} `),
    )
  })
}

function readSchema(): string {
  return readText('../../schema.graphql')
}

function readText(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

function differences(ours: GraphQLSchema, theirs: GraphQLSchema): string[] {
  return Object.values(ours.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
    .flatMap((type) => typeDifferences(type, theirs.getType(type.name)))
}

function typeDifferences(ours: GraphQLNamedType, theirs: GraphQLNamedType | undefined): string[] {
  if (!theirs || theirs.constructor !== ours.constructor) return [`${ours.name} is not in the contract`]
  if (isEnumType(ours) && isEnumType(theirs)) {
    const known = theirs.getValues().map(({ name }) => name)
    return ours
      .getValues()
      .flatMap(({ name }) => (known.includes(name) ? [] : [`${ours.name}.${name} is not in the contract`]))
  }
  if (isUnionType(ours) && isUnionType(theirs)) {
    const known = theirs.getTypes().map(({ name }) => name)
    return ours.getTypes().flatMap(({ name }) => (known.includes(name) ? [] : [`${ours.name} includes ${name}`]))
  }
  if (isInputObjectType(ours) && isInputObjectType(theirs)) {
    const kinds = ours.isOneOf === theirs.isOneOf ? [] : [`${ours.name} differs in @oneOf`]
    return [
      ...kinds,
      ...inputDifferences(ours.name, Object.values(ours.getFields()), Object.values(theirs.getFields())),
    ]
  }
  if ((isObjectType(ours) && isObjectType(theirs)) || (isInterfaceType(ours) && isInterfaceType(theirs))) {
    const known = theirs.getInterfaces().map(({ name }) => name)
    const interfaces = ours
      .getInterfaces()
      .flatMap(({ name }) => (known.includes(name) ? [] : [`${ours.name} implements ${name}`]))
    const fields = theirs.getFields()
    return [
      ...interfaces,
      ...Object.values(ours.getFields()).flatMap((field) => fieldDifferences(ours.name, field, fields[field.name])),
    ]
  }
  return []
}

type Field = GraphQLField<unknown, unknown>

function fieldDifferences(parent: string, ours: Field, theirs: Field | undefined): string[] {
  const name = `${parent}.${ours.name}`
  if (!theirs) return [`${name} is not in the contract`]
  const types =
    String(ours.type) === String(theirs.type) ? [] : [`${name} is ${String(ours.type)}, not ${String(theirs.type)}`]
  return [...types, ...inputDifferences(name, ours.args, theirs.args)]
}

type Input = GraphQLArgument | GraphQLInputField

function inputDifferences(parent: string, ours: readonly Input[], theirs: readonly Input[]): string[] {
  const missing = theirs.filter((known) => isRequired(known) && !ours.some(({ name }) => name === known.name))
  const wrong = ours.flatMap((input) => {
    const known = theirs.find(({ name }) => name === input.name)
    if (!known) return [`${parent}(${input.name}:) is not in the contract`]
    const [is, shall] = [described(input), described(known)]
    return is === shall ? [] : [`${parent}(${input.name}:) is ${is}, not ${shall}`]
  })
  return [...missing.map(({ name }) => `${parent}(${name}:) is missing`), ...wrong]
}

function isRequired(input: Input): boolean {
  return isRequiredArgument(input as GraphQLArgument) || isRequiredInputField(input as GraphQLInputField)
}

function described(input: Input): string {
  const value = input.astNode?.defaultValue
  return value ? `${String(input.type)} = ${print(value)}` : String(input.type)
}
