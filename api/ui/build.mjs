// Bundles the GraphiQL page into dist/: one script, one style sheet and the editor's workers, each compressed.
// The server embeds dist/ when it is built; nothing is loaded from another host.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { constants, gzipSync } from 'node:zlib';

const out = new URL('dist/', import.meta.url);
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

await build({
  entryPoints: {
    page: 'src/page.jsx',
    'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  },
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.ttf': 'dataurl', '.woff2': 'dataurl' },
  legalComments: 'none',
  logLevel: 'warning',
});

// What the browser loads is named by its content, so that a new build is never mixed with an old one.
const names = (await readdir(out)).sort();
const hash = createHash('sha256');
for (const name of names) hash.update(await readFile(new URL(name, out)));
const version = hash.digest('hex').slice(0, 12);
for (const name of names) {
  const bytes = gzipSync(await readFile(new URL(name, out)), { level: constants.Z_BEST_COMPRESSION });
  await rm(new URL(name, out));
  await writeFile(new URL(`${name}.gz`, out), bytes);
}
const page = await readFile(new URL('src/page.html', import.meta.url), 'utf8');
await writeFile(new URL('page.html', out), page.replaceAll('{version}', version));
