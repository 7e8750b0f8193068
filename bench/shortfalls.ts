/** Why a figure falls short of its goal, by its id; the report prints it only while it does. */
export const shortfalls: Readonly<Record<string, string>> = {}
