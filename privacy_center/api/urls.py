"""API addresses of the privacy center."""

from django.urls import path

from privacy_center.api.consent import ConsentView
from privacy_center.api.receipt import ReceiptsView, ReceiptView

urlpatterns = [
    path("consent/", ConsentView.as_view(), name="api-consent"),
    path("receipts/", ReceiptsView.as_view(), name="api-receipts"),
    path("receipts/<uuid:record_id>/", ReceiptView.as_view(), name="api-receipt"),
]
