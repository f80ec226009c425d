// relay-compiler and graphql-codegen on schema.graphql; the documents that they persist go into a folder, for a server
// that runs nothing else. Usage: node compilers.mjs FOLDER

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from '@graphql-codegen/cli'
import relay from 'relay-compiler'

const out = process.argv[2]
if (!out) throw new Error('usage: node compilers.mjs FOLDER')
const here = import.meta.dirname
const work = await mkdtemp(join(tmpdir(), 'vigie-compilers-'))
try {
  await mkdir(out, { recursive: true })
  await cp(join(here, '../../schema.graphql'), join(work, 'schema.graphql'))

  await cp(join(here, 'relay'), join(work, 'relay'), { recursive: true })
  await mkdir(join(work, 'relay/__generated__'))
  await writeFile(join(work, 'relay.config.json'), JSON.stringify({
    src: './relay',
    schema: './schema.graphql',
    language: 'javascript',
    artifactDirectory: './relay/__generated__',
    persistConfig: { file: './relay.json', algorithm: 'SHA256' },
    customScalarTypes: {}
  }))
  await writeFile(join(work, 'relay.json'), '{}')
  execFileSync(relay, ['relay.config.json'], { cwd: work, stdio: ['ignore', 'inherit', 'inherit'] })
  const made = await readdir(join(work, 'relay/__generated__'))
  const ids = Object.keys(JSON.parse(await readFile(join(work, 'relay.json'), 'utf8')))
  assert.equal(ids.length, 3, 'a query, a mutation and a subscription')
  assert.ok(made.includes('standsPageQuery.graphql.js'), made.join())
  const artifact = await readFile(join(work, 'relay/__generated__/standsPageQuery.graphql.js'), 'utf8')
  assert.ok(ids.some(id => artifact.includes(id)), 'the artifact names its document')
  await cp(join(work, 'relay.json'), join(out, 'relay.json'))

  const files = await generate({
    schema: join(work, 'schema.graphql'),
    documents: join(here, 'codegen/*.graphql'),
    silent: true,
    generates: {
      [`${join(work, 'generated')}/`]: {
        preset: 'client',
        presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } },
        config: { strictScalars: true, scalars: { DateTime: 'string', NaiveDate: 'string', JSON: 'unknown', Position: 'number', UUID: 'string' } }
      }
    }
  }, false)
  const types = files.find(({ filename }) => filename.endsWith('graphql.ts')).content
  assert.match(types, /StandNamesQuery = /)
  const persisted = files.find(({ filename }) => filename.endsWith('persisted-documents.json'))
  assert.equal(Object.keys(JSON.parse(persisted.content)).length, 2)
  await writeFile(join(out, 'codegen.json'), persisted.content)
  console.log('both compilers take the schema')
} finally {
  await rm(work, { recursive: true })
}
process.exit(0)
