"""The site's addresses, and `/api/v1/empty/`: what a request costs that asks for nothing."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from calm_site import urls


class EmptyView(APIView):
    """Signed in by the same session, answered by the same renderer."""

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [path("api/v1/empty/", EmptyView.as_view()), *urls.urlpatterns]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
