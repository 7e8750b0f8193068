/**
 * What a field counts in the cost of an operation when it may bring far more bytes than others, which count 1. Set beside the field as
 * the extension `weight`. An operation at the limit of cost then holds some hundreds of MiB at the very most, and pages of ordinary
 * jobs are nowhere near it.
 */

/** A request or an output: read from the store, up to a MiB or so. */
export const storedWeight = 300

/**
 * All vectors or values of an output, as JSON several times what is stored. A page of a hundred jobs that asks for every kind of output is within
 * the limit: an output has one kind.
 */
export const valuesWeight = 400

/** The values of one event, of which a page has up to a hundred. */
export const eventValuesWeight = 50
