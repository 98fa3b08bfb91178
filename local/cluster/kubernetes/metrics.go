package main

import (
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kubernetes/pkg/generated/openapi"
	"sigs.k8s.io/metrics-server/pkg/api"
	"sigs.k8s.io/metrics-server/pkg/scraper/client"
	"sigs.k8s.io/metrics-server/pkg/server"
)

// metricsServer is metrics-server with the few flags that a single node needs: its own command does not compile with this
// Kubernetes, its packages do.
func metricsServer() *cobra.Command {
	var kubeconfig string
	serving := genericoptions.NewSecureServingOptions().WithLoopback()
	authentication := genericoptions.NewDelegatingAuthenticationOptions()
	authorization := genericoptions.NewDelegatingAuthorizationOptions()
	command := &cobra.Command{
		Use:          "metrics-server",
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			authentication.RemoteKubeConfigFile, authorization.RemoteKubeConfigFile = kubeconfig, kubeconfig
			generic := genericapiserver.NewConfig(api.Codecs)
			generic.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
			generic.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(
				openapi.GetOpenAPIDefinitions, openapinamer.NewDefinitionNamer(api.Scheme))
			generic.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(
				openapi.GetOpenAPIDefinitions, openapinamer.NewDefinitionNamer(api.Scheme))
			if err := serving.ApplyTo(&generic.SecureServing, &generic.LoopbackClientConfig); err != nil {
				return err
			}
			if err := authentication.ApplyTo(&generic.Authentication, generic.SecureServing, nil); err != nil {
				return err
			}
			if err := authorization.ApplyTo(&generic.Authorization); err != nil {
				return err
			}
			metrics, err := server.Config{
				Apiserver: generic,
				Rest:      config,
				Kubelet: &client.KubeletClientConfig{
					Client:              *rest.CopyConfig(config),
					AddressTypePriority: []corev1.NodeAddressType{corev1.NodeInternalIP},
					Scheme:              "https",
					DefaultPort:         10250,
				},
				// As short as the kubelet's own statistics are renewed.
				MetricResolution: 10 * time.Second,
				ScrapeTimeout:    5 * time.Second,
			}.Complete()
			if err != nil {
				return err
			}
			return metrics.RunUntil(genericapiserver.SetupSignalContext().Done())
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server")
	serving.AddFlags(command.Flags())
	return command
}
