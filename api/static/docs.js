const place = document.getElementById("swagger-ui");
window.SwaggerUIBundle({ url: place.dataset.contract, domNode: place, deepLinking: true });
