// Swagger UI, from our own files, on what describes the tables. It keeps no key.
const place = document.getElementById("reference");
globalThis.SwaggerUIBundle({
  url: place.dataset.description,
  domNode: place,
  deepLinking: false,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
  persistAuthorization: false,
});
