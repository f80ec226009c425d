// The editors' workers are files of their own beside the page.
const version = document.body.dataset.version;

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    const name = label === 'json' || label === 'graphql' ? label : 'editor';
    return new Worker(`/graphql/ui/${name}.worker.js?v=${version}`, { name: label });
  },
};
