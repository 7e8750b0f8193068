/** How `npx drizzle-kit generate` turns `src/store/tables.ts` into a new file of `migrations/`. */
import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'sqlite',
  schema: './src/store/tables.ts',
  out: './migrations',
  casing: 'snake_case',
})
